// Numbers as people read them. No layout.

/** Seconds as `0.4 s`, `12 s`, `3 m 05 s`, `1 h 02 m`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
}

/** Bytes in decimal units with three digits: `90.9 MB`. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : threeDigits(value)} ${units[unit]}`;
}

/** `0.87`, `12.3`, `123`, `1,234`. */
export function rate(value: number): string {
  return value >= 999.5 ? Math.round(value).toLocaleString("en-US") : threeDigits(value);
}

/** A metric of 0-1 as ×100 with two decimals. */
export function percent(metric: number): string {
  return (metric * 100).toFixed(2);
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
