import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ABOUT } from "../../../src/lint/consumers.js";
import { CONSUMERS } from "../../../src/lint/rule.js";
import { RULES } from "../../../src/lint/rules/index.js";
import { ARCHITECTURE_CASES, FIELD_CASES, LABEL_CASES, LENGTH_CASES, TOKENIZER_CASES } from "./cases-config.js";
import { CARD_CASES, FILE_CASES, WEIGHT_CASES } from "./cases-files.js";
import { EXTERNAL_CASES, FORM_CASES, PLACE_CASES, VERSION_CASES } from "./cases-graphs.js";

const DOCS = join(import.meta.dirname, "../../../docs");
const cell = (text: string): string => text.replaceAll("|", "\\|");
/** Sections of our own notes, which readers of the reference do not have. */
const NOTES = /(?: \((?:onnx|packaging)\.md[^)]*\)|[;,] (?:onnx|packaging)\.md[^);]*)/g;

/** docs/reference/lint-rules.md as text. */
function reference(): string {
  const consumers = CONSUMERS.map((name) => `| \`${name}\` | ${ABOUT[name].title} | ${ABOUT[name].version} |`);
  const rules = RULES.map(({ id, severity, about, source, consumers: names }) => {
    const whom = names.length === 0 ? "" : names.length === CONSUMERS.length ? "all" : names.join(", ");
    return `| <a id="${id}"></a>\`${id}\` | ${severity} | ${whom} | ${cell(about)} | ${cell(source.replaceAll(NOTES, ""))} |`;
  });
  return [
    "# What `lint` knows",
    "",
    "Generated from `src/lint/` by `npm run generate`. An error means that these consumers do not load the folder as a reranker; a",
    "warning, that they do and something is wrong; a note is good to know. One finding may be milder than its rule, or concern fewer.",
    "",
    "| consumer | what it is | version whose source was read |",
    "| --- | --- | --- |",
    ...consumers,
    "",
    "| rule | severity | consumers | what it protects | where the fact stands |",
    "| --- | --- | --- | --- | --- |",
    ...rules,
    "",
  ].join("\n");
}

describe("the rules of lint", () => {
  test("are what docs/reference/lint-rules.md says", async () => {
    await expect(reference()).toMatchFileSnapshot(join(DOCS, "reference/lint-rules.md"));
  });

  test("name their sources to readers who do not have our notes", () => {
    expect(reference()).not.toMatch(/(onnx|packaging)\.md/);
  });

  test("have names of their own, and a sentence each", () => {
    expect(new Set(RULES.map(({ id }) => id)).size).toBe(RULES.length);
    for (const { id, about } of RULES) expect(about, id).toMatch(/^[A-Z`].*\.$/i);
  });

  test("are each found in at least one broken folder", () => {
    const cases = [
      ARCHITECTURE_CASES,
      LABEL_CASES,
      FIELD_CASES,
      TOKENIZER_CASES,
      LENGTH_CASES,
      WEIGHT_CASES,
      CARD_CASES,
      FILE_CASES,
      PLACE_CASES,
      EXTERNAL_CASES,
      FORM_CASES,
      VERSION_CASES,
    ];
    const found = new Set(cases.flat().flatMap(({ rules }) => rules));
    // Need a disk or a hub: folder.test.ts and hub.test.ts.
    const elsewhere = [
      "link_to_nothing",
      "link_leaves",
      "external_data_linked",
      "onnx_over_2_gb",
      "onnx_not_read",
      "weights_not_read",
    ];
    expect(RULES.map(({ id }) => id).filter((id) => !found.has(id) && !elsewhere.includes(id))).toEqual([]);
  });
});

describe("docs/guides/lint.md", () => {
  test("names every consumer", async () => {
    const guide = await readFile(join(DOCS, "guides/lint.md"), "utf8");
    expect(CONSUMERS.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  });
});
