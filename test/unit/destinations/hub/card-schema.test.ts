import { expect, test } from "vitest";
import { cardProblems, withNewVersion } from "../../../../src/destinations/hub/card-schema.js";
import { CARD } from "../../../helpers/releasable.js";

test("a card with what a reranker needs is taken", () => expect(cardProblems(CARD)).toEqual([]));

test.each([
  ["# x\n", undefined, "has no front matter"],
  ["---\na: [\n---\n", undefined, "has front matter that is no YAML"],
  [CARD.replace("license: apache-2.0\n", ""), "license", "Invalid input"],
  [CARD.replace("license:", "datasets: null\nlicense:"), "datasets", "Invalid input: expected array, received null"],
  [CARD.replace("license:", "base_model: just-a-name\nlicense:"), "base_model", "is no org/name"],
  [CARD.replace("license:", "base_model_relation: cousin\nlicense:"), "base_model_relation", "Invalid option"],
  [
    CARD.replace(
      "license:",
      "model-index: [{name: a, results: [{task: {type: text-ranking}, dataset: {type: a, name: b}, metrics: [{type: ndcg}]}]}]\nlicense:",
    ),
    "model-index.0.results.0.metrics.0.value",
    "Invalid input: expected number, received undefined",
  ],
])("a card that is refused %#", (card, path, message) => {
  const [problem] = cardProblems(card);
  expect(problem?.path).toBe(path);
  expect(problem?.message).toContain(message);
});

test("new_version comes in, and everything else stays as it was, comments too", () => {
  const card = "---\nlicense: mit # checked\ntags: [a, b]\n---\n\n# old\n";
  expect(withNewVersion(card, "o/n")).toBe(
    "---\nlicense: mit # checked\ntags: [ a, b ]\nnew_version: o/n\n---\n\n# old\n",
  );
  expect(withNewVersion("# bare\n", "o/n")).toBe("---\nnew_version: o/n\n---\n\n# bare\n");
  expect(withNewVersion("---\nnew_version: o/n\n---\n", "o/n")).toBeUndefined();
});
