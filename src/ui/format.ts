// Numbers as people read them in a terminal; those that pages show alike are the same. No layout.
export { percent, size } from "../page/numbers.js";

/** Seconds as `0.4 s`, `12 s`, `3 m 05 s`, `1 h 02 m`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
}

/** `0.87`, `12.3`, `123`, `1,234`. */
export function rate(value: number): string {
  return value >= 999.5 ? Math.round(value).toLocaleString("en-US") : threeDigits(value);
}

/** `1 error`, `2 errors`, `1,234 errors`. */
export function plural(value: number, noun: string): string {
  return `${value.toLocaleString("en-US")} ${noun}${value === 1 ? "" : "s"}`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value.toFixed(value >= 9.995 ? 1 : 2);
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
