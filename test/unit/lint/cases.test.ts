import { describe, expect, test } from "vitest";
import { verdicts } from "../../../src/lint/consumers.js";
import { examine } from "../../../src/lint/examine.js";
import type { FolderFacts } from "../../../src/lint/facts.js";
import { fixedFacts } from "../../../src/lint/fix.js";
import type { ConsumerName } from "../../../src/lint/rule.js";
import { ARCHITECTURE_CASES, FIELD_CASES, LABEL_CASES, LENGTH_CASES, TOKENIZER_CASES } from "./cases-config.js";
import { CARD_CASES, FILE_CASES, WEIGHT_CASES } from "./cases-files.js";
import { EXTERNAL_CASES, FORM_CASES, PLACE_CASES, VERSION_CASES } from "./cases-graphs.js";
import { type Case, readModel } from "./model-files.js";

const CASES: Record<string, Case[]> = {
  "a folder with what is wrong in what it says it is": ARCHITECTURE_CASES,
  "a folder with wrong labels": LABEL_CASES,
  "a folder with wrong fields": FIELD_CASES,
  "a folder with a wrong tokenizer": TOKENIZER_CASES,
  "a folder with wrong lengths": LENGTH_CASES,
  "a folder with wrong weights": WEIGHT_CASES,
  "a folder with a wrong card": CARD_CASES,
  "a folder with wrong files": FILE_CASES,
  "a folder with graphs in the wrong place": PLACE_CASES,
  "a folder with weights outside the graph": EXTERNAL_CASES,
  "a folder with a graph of the wrong form": FORM_CASES,
  "a folder with a graph that asks too much": VERSION_CASES,
};

/** Consumers that do not load it as a reranker. */
const refusing = (facts: FolderFacts): ConsumerName[] =>
  verdicts(facts, examine(facts))
    .filter(({ loads }) => loads === "no")
    .map(({ name }) => name);

describe("a sound folder", () => {
  test("has no findings and is a reranker to everyone", async () => {
    const facts = await readModel();
    expect(examine(facts)).toEqual([]);
    expect(verdicts(facts, []).map(({ loads, as }) => `${loads} ${as}`)).toEqual(Array(8).fill("yes reranker"));
  });
});

describe.each(Object.entries(CASES))("%s", (_, cases) => {
  test.each(cases)("$title: $rules", async ({ change, rules, no }) => {
    const facts = await readModel(change);
    expect(examine(facts).map(({ rule }) => rule)).toEqual(rules);
    expect(refusing(facts)).toEqual(no);
  });

  const fixable = cases.filter((one) => one.fixable);
  if (fixable.length > 0)
    test.each(fixable)("$title: its fixes leave nothing to say, and nothing to do again", async ({ change }) => {
      const { facts, done } = fixedFacts(await readModel(change));
      expect(examine(facts)).toEqual([]);
      expect(done.length).toBeGreaterThan(0);
      expect(fixedFacts(facts).done).toEqual([]);
    });

  const others = cases.filter((one) => !one.fixable && one.rules.length > 0);
  if (others.length > 0)
    test.each(others)("$title: nothing in the folder says how to mend it", async ({ change }) => {
      expect(fixedFacts(await readModel(change)).done).toEqual([]);
    });
});
