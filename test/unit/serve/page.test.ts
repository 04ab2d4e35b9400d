import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { splitCard } from "../../../src/serve/card.js";
import { factTables } from "../../../src/serve/page/facts.js";
import { POLICY, STYLE } from "../../../src/serve/page/style.js";

const text = (value: unknown) =>
  factTables(value)
    .markup.replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

describe("a report as tables", () => {
  test("has a row a value and a table a list of objects", () => {
    const report = {
      outcome: "passed",
      machine: { cores: 2 },
      variants: [{ name: "fp32", quality: { "ndcg@10": 0.123456789 } }, { name: "int8" }],
    };
    expect(text(report)).toBe("values outcome passed machine.cores 2 variants name quality.ndcg@10 fp32 0.123457 int8");
  });

  test("escapes whatever is in it, names of fields too", () => {
    const { markup } = factTables({ "<b>": '"><script>', list: [{ "<i>": "</td>" }] });
    expect(markup).not.toMatch(/<b>|<script|<i>|<\/td><\/td>/);
    expect(markup).toContain("&lt;script&gt;");
  });

  test("stays small, however large and deep it is", () => {
    const rows = Array.from({ length: 5000 }, (_, n) => ({ n, text: "x".repeat(10_000) }));
    expect(factTables({ rows, text: "y".repeat(1e6) }).markup.length).toBeLessThan(100_000);
    expect(text({ rows })).toContain("rows (first 200 of 5000)");
    let deep: unknown = 1;
    for (let level = 0; level < 5000; level++) deep = { deep };
    expect(factTables(deep).markup.length).toBeLessThan(2000);
  });

  test("takes a value that is no object", () => {
    expect(text("plain")).toBe("values value plain");
    expect(text(null)).toBe("values value null");
    expect(text([])).toBe("values value");
    expect(text({ interval: [0.1, 0.25], nested: [[1], { a: 1 }] })).toBe("values interval 0.1, 0.25 nested …, …");
  });
});

describe("a card", () => {
  test("is split into metadata and text", () => {
    const { metadata, text: body } = splitCard("---\nlicense: mit\ntags:\n  - a\n---\n\n# Title\n");
    expect(metadata).toEqual({ license: "mit", tags: ["a"] });
    expect(body).toBe("# Title\n");
  });

  test.each([
    ["no block", "# Title\n"],
    ["a block that is not closed", "---\nlicense: mit\n# Title\n"],
    ["broken YAML", "---\na: [\n---\nTitle\n"],
    ["YAML that is no mapping", "---\n- a\n---\nTitle\n"],
    ["YAML that grows when read", "---\na: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n---\nTitle\n"],
  ])("with %s is shown whole", (_, card) => {
    expect(splitCard(card)).toEqual({ metadata: {}, text: card });
  });
});

test("the policy names the one style sheet by its digest and allows nothing else", () => {
  expect(POLICY).toContain(`style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`);
  expect(POLICY).toMatch(/^default-src 'none'; style-src/);
  expect(STYLE).not.toMatch(/@import|url\(|https?:/);
});
