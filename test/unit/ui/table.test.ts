import { describe, expect, test } from "vitest";
import { painter } from "../../../src/ui/colors.js";
import { columns, resultTable, type VariantRow } from "../../../src/ui/table.js";

const quality = {
  "ndcg@10": 0.5123,
  "ndcg@10_interval": [0.4801, 0.5444] as [number, number],
  "mrr@10": 0.4711,
  "recall@5": 0.625,
};
const row = (name: VariantRow["name"], rest: Partial<VariantRow> = {}): VariantRow => ({
  name,
  ...quality,
  pairs_per_second: null,
  bytes: null,
  outcome: null,
  ...rest,
});

describe("the table of results", () => {
  test("shows metrics ×100 with two decimals, intervals, speed and size", () => {
    const rows = [
      row("first_stage"),
      row("tuned", { pairs_per_second: 312.4, bytes: 90_900_000 }),
      row("fp32", { pairs_per_second: 98.76, bytes: 91_100_000, outcome: "passed" }),
      row("int8", { pairs_per_second: 1234.5, bytes: 23_400_000, outcome: "failed" }),
      row("fp16", {
        "ndcg@10": null,
        "ndcg@10_interval": null,
        "mrr@10": null,
        "recall@5": null,
        bytes: 45_600_000,
        outcome: "inconclusive",
      }),
    ];
    expect(resultTable(rows, painter(false))).toMatchInlineSnapshot(`
      "             NDCG@10 [95 %]        MRR@10  Recall@5  pairs/s     size
      first stage  51.23 [48.01, 54.44]   47.11     62.50        -        -
      tuned        51.23 [48.01, 54.44]   47.11     62.50      312  90.9 MB
      fp32         51.23 [48.01, 54.44]   47.11     62.50     98.8  91.1 MB
      int8         51.23 [48.01, 54.44]   47.11     62.50    1,235  23.4 MB  failed
      fp16         -                          -         -        -  45.6 MB"
    `);
  });

  test("fits 80 columns with the widest values", () => {
    const widest = row("first_stage", {
      "ndcg@10": 1,
      "ndcg@10_interval": [1, 1],
      "mrr@10": 1,
      "recall@5": 1,
      pairs_per_second: 123_456,
      bytes: 999_900_000_000,
      outcome: "failed",
    });
    const lines = resultTable([widest], painter(false)).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  });
});

describe("columns", () => {
  test("align the first to the left and the others to the right, without trailing spaces", () => {
    expect(
      columns([
        ["a", "1", ""],
        ["long", "100", "x"],
      ]),
    ).toEqual(["a       1", "long  100  x"]);
  });
});
