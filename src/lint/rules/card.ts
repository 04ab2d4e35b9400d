// Rules on README.md: the fields by which the Hub, its search and other tools know what this is and who may use it.
import { frontMatter, setCardField, withEdit } from "../edit.js";
import type { FolderFacts } from "../facts.js";
import { architectures } from "../model-facts.js";
import type { Found, Rule } from "../rule.js";

const CARD = "README.md";

/** Fields of the front matter; undefined without a card, or with one that is broken. */
function fieldsOf(facts: FolderFacts): Record<string, unknown> | undefined {
  const card = facts.texts.get(CARD);
  const found = card === undefined ? undefined : frontMatter(card);
  if (found === undefined || "problem" in found) return undefined;
  return "absent" in found ? {} : found.fields;
}

/** One finding about the card, when there is a readable one. */
export function ofCard(facts: FolderFacts, say: (fields: Record<string, unknown>) => Found | undefined): Found[] {
  const fields = fieldsOf(facts);
  const found = fields === undefined ? undefined : say(fields);
  return found === undefined ? [] : [{ file: CARD, ...found }];
}

export const cardMissing: Rule = {
  id: "card_missing",
  severity: "note",
  about: "A model without a card says nothing about its licence, its base and its use.",
  source: "hub-docs model-cards (packaging.md §4)",
  consumers: [],
  check: (facts) =>
    // A package of ours gets its card when it is published.
    facts.files.has(CARD) || facts.files.has("rerank-tune.json")
      ? []
      : [
          {
            file: CARD,
            message: "is missing",
            fix: "write one with licence, base_model and pipeline_tag; `rerank-tune publish` does",
          },
        ],
};

export const cardBroken: Rule = {
  id: "card_broken",
  severity: "warning",
  about: "The Hub refuses a card whose front matter is no YAML.",
  source: "huggingface_hub #1927 (packaging.md §4, §5.13)",
  consumers: [],
  check: (facts) => {
    const card = facts.texts.get(CARD);
    const found = card === undefined ? undefined : frontMatter(card);
    if (found === undefined || !("problem" in found)) return [];
    return [
      {
        file: CARD,
        message: `has front matter that is no YAML (line ${found.line})`,
        fix: "correct the lines between the two ---",
      },
    ];
  },
};

const NON_COMMERCIAL = /^(cc-by-nc|cc-nc|.*non-?commercial)/i;
const OWN_TERMS = /^(gemma|llama|other)/i;

export const licenseRestricted: Rule = {
  id: "license_restricted",
  severity: "warning",
  about:
    "A non-commercial licence, or one with terms of its own, goes over to every model that is tuned from this one.",
  source: "Hub licences (hub-docs, repositories-licenses.md; packaging.md §4)",
  consumers: [],
  check: (facts) =>
    ofCard(facts, ({ license }) => {
      const name = String(license ?? "");
      if (NON_COMMERCIAL.test(name))
        return {
          message: `has the licence ${name}, which forbids commercial use`,
          fix: "choose a base under apache-2.0 or mit where the model earns money",
        };
      if (!OWN_TERMS.test(name)) return undefined;
      return {
        message: `has the licence ${name}, which has terms of its own`,
        fix: "read its terms before you serve or pass on the model",
      };
    }),
};

export const licenseMissing: Rule = {
  id: "license_missing",
  severity: "note",
  about: "Without a licence nobody else may use it.",
  source: "hub-docs model-cards (packaging.md §4)",
  consumers: [],
  check: (facts) =>
    ofCard(facts, ({ license }) =>
      (license ?? "") === ""
        ? { message: "names no licence", fix: "add `license:`, such as that of the base" }
        : undefined,
    ),
};

const isClassifier = (facts: FolderFacts): boolean =>
  architectures(facts).some((name) => name.endsWith("ForSequenceClassification"));

export const pipelineTag: Rule = {
  id: "pipeline_tag_not_text_ranking",
  severity: "warning",
  about: "The Hub lists rerankers under text-ranking, and tools that choose a loader by it find the right one.",
  source: "huggingface.js PR #1267; sentence-transformers cross_encoder/model_card.py (packaging.md §4)",
  consumers: [],
  check: (facts) =>
    ofCard(facts, ({ pipeline_tag: tag }) => {
      if (tag === "text-ranking" || !isClassifier(facts)) return undefined;
      return {
        message: tag === undefined ? "has no pipeline_tag" : `has pipeline_tag ${String(tag)}`,
        fix: "write `pipeline_tag: text-ranking`",
        ...withEdit(setCardField(facts, "pipeline_tag", "text-ranking")),
      };
    }),
};

export const libraryName: Rule = {
  id: "library_name_missing",
  severity: "note",
  about: "The Hub no longer guesses the library; without library_name it shows no snippet.",
  source: "hub-docs, since August 2024 (packaging.md §4)",
  consumers: [],
  check: (facts) =>
    ofCard(facts, ({ library_name: name }) => {
      if (name !== undefined && name !== null) return undefined;
      return {
        message: "has no library_name",
        fix: "write `library_name: sentence-transformers`",
        ...withEdit(setCardField(facts, "library_name", "sentence-transformers")),
      };
    }),
};

export const baseModel: Rule = {
  id: "base_model_missing",
  severity: "note",
  about: "base_model puts the model into the Hub's tree below the one that it was tuned from.",
  source: "hub-docs model-cards (packaging.md §4)",
  consumers: [],
  check: (facts) =>
    ofCard(facts, ({ base_model: base }) => {
      // Ours leaves it out where the base is not on the Hub.
      if ((base ?? null) !== null || facts.files.has("rerank-tune.json")) return undefined;
      return { message: "names no base_model", fix: "add `base_model: owner/name`" };
    }),
};

export const datasetsNull: Rule = {
  id: "datasets_null",
  severity: "warning",
  about: "The Hub refuses a card with `datasets: null`.",
  source: "transformers #13528, MDEL #34 (packaging.md §4)",
  consumers: [],
  check: (facts) =>
    ofCard(facts, (fields) =>
      "datasets" in fields && fields.datasets === null
        ? {
            message: "has `datasets: null`",
            fix: "take the field out",
            ...withEdit(setCardField(facts, "datasets", undefined)),
          }
        : undefined,
    ),
};
