// Linear scales with round ticks: values of the data to coordinates of a drawing.

export interface Scale {
  /** Values of the two ends. */
  domain: readonly [number, number];
  /** Coordinates of the two ends; the first may be the larger one, as on a vertical axis. */
  range: readonly [number, number];
  ticks: readonly number[];
  at(value: number): number;
}

export interface ScaleOptions {
  /** Ticks to aim at. */
  ticks?: number;
  /** Keep the ends as given instead of moving them out to round values. */
  exact?: boolean;
}

/** A scale over the values from `low` to `high`; equal or unusable ends are moved apart. */
export function linearScale(
  low: number,
  high: number,
  range: readonly [number, number],
  { ticks = 5, exact = false }: ScaleOptions = {},
): Scale {
  const [from, to] = low < high ? [low, high] : [low - spread(low), low + spread(low)];
  const step = roundStep((to - from) / ticks);
  const [start, end] = [Math.floor(from / step + 1e-9), Math.ceil(to / step - 1e-9)];
  const all = Array.from({ length: end - start + 1 }, (_, index) => cleaned((start + index) * step));
  const domain: [number, number] = exact ? [from, to] : [all[0] as number, all.at(-1) as number];
  const shown = all.filter((tick) => tick >= domain[0] - 1e-12 && tick <= domain[1] + 1e-12);
  const at = (value: number) => range[0] + ((value - domain[0]) / (domain[1] - domain[0])) * (range[1] - range[0]);
  return { domain, range, ticks: shown, at };
}

/** The next of 1, 2 and 5 times a power of ten. */
export function roundStep(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= wanted * (1 - 1e-9)) ?? 10;
  return factor * power;
}

const spread = (value: number): number => (value === 0 ? 1 : Math.abs(value) / 2);

/** Without the last bits that multiplication leaves, so that ticks print as they are meant. */
const cleaned = (value: number): number => Number(value.toPrecision(12));

/** A coordinate with at most two decimals: a hundredth of a pixel. */
export const coordinate = (value: number): string => String(Number(value.toFixed(2)) + 0);
