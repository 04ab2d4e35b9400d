// Plain tables that fit 80 columns: columns of text padded to their widest cell, and the table of results.
import type { Paint } from "./colors.js";
import { percent, rate, size } from "./format.js";

/** One row of the table of results. Metrics are 0-1; null where nothing was measured. */
export interface VariantRow {
  name: "first_stage" | "base" | "tuned" | "fp32" | "int8" | "fp16";
  "ndcg@10": number | null;
  "ndcg@10_interval": [number, number] | null;
  "mrr@10": number | null;
  "recall@5": number | null;
  pairs_per_second: number | null;
  bytes: number | null;
  /** What verify says of a variant of the package; null for the others. */
  outcome: "passed" | "failed" | "inconclusive" | null;
}

const NONE = "-";

/**
 * Aligns cells: the first column to the left, those named in `left` too, the others to the right.
 * @returns lines without trailing spaces.
 */
export function columns(rows: readonly (readonly string[])[], left: readonly number[] = []): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => (row[index] ?? "").length)));
  return rows.map((row) =>
    row
      .map((cell, index) =>
        index === 0 || left.includes(index) ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}

/** The table of results: quality ×100 with two decimals and its 95 % interval, speed and size. At most 80 columns. */
export function resultTable(rows: readonly VariantRow[], paint: Paint): string {
  const header = ["", "NDCG@10 [95 %]", "MRR@10", "Recall@5", "pairs/s", "size", ""];
  const [head = "", ...body] = columns([header, ...rows.map(cells)], [1, 6]);
  return [paint("bold", head), ...body].join("\n");
}

function cells(row: VariantRow): string[] {
  const number = (value: number | null, format: (value: number) => string) => (value === null ? NONE : format(value));
  const interval = row["ndcg@10_interval"];
  const range = interval === null ? "" : ` [${percent(interval[0])}, ${percent(interval[1])}]`;
  return [
    row.name.replace("_", " "),
    `${number(row["ndcg@10"], percent)}${range}`,
    number(row["mrr@10"], percent),
    number(row["recall@5"], percent),
    number(row.pairs_per_second, rate),
    number(row.bytes, size),
    row.outcome === "failed" ? "failed" : "",
  ];
}
