// Numbers as pages show them: metrics times 100 with two decimals, as in the tables of the command line. No layout.

/** A metric of 0-1 as 42.50. */
export const percent = (metric: number): string => (100 * metric).toFixed(2);

/** A difference of a metric in points, with its sign: +6.50. */
export function points(difference: number): string {
  const text = percent(difference);
  return Number(text) === 0 ? "0.00" : difference > 0 ? `+${text}` : text.replace("-", MINUS);
}

/** A number with its sign where it is negative, in the typographic form that tables align. */
export const fixed = (value: number, digits: number): string => value.toFixed(digits).replace("-", MINUS);

const MINUS = "\u2212";

/** `[36.75, 48.29]`. */
export const interval = ([low, high]: readonly [number, number], show = percent): string =>
  `[${show(low)}, ${show(high)}]`;

/** Four digits at most, for learning rates and other values of any size: 0.0002, 1e-5, 12.3. */
export function short(value: number): string {
  const rounded = Number(value.toPrecision(3));
  const small = rounded !== 0 && Math.abs(rounded) < 1e-3;
  return (small ? rounded.toExponential() : String(rounded)).replace(/^-/, MINUS);
}

/** `1,234`. */
export const count = (value: number): string => Math.round(value).toLocaleString("en-US");

/** Bytes in decimal units with three digits: `90.9 MB`. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** `8.2 s`, `3 min 25 s`, `1 h 02 min`. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toPrecision(2))} s`;
  const whole = Math.round(seconds);
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two((whole % 3600) / 60)} min`;
}

/** `2026-11-21 14:04 UTC`. */
export const time = (iso: string): string => `${iso.slice(0, 16).replace("T", " ")} UTC`;
