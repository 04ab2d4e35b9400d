// Options and output of `prepare`: where labelled pairs come from, how they are split, where negatives and candidates come from.
import { z } from "zod";
import { DATA_FORMS } from "../../dataset/forms.js";

export const prepareSchema = z.strictObject({
  source: z
    .string()
    .optional()
    .describe(
      "Labelled data: a JSONL, CSV or TSV file (query, passage, label), a JSONL of graded groups, rows of FlagEmbedding (query, pos, neg), sentence-transformers, ms-swift, Tevatron, RAG-Retrieval or Cohere, or a TREC or BEIR folder. Relative to the recipe.",
    ),
  builtin: z
    .enum(["icd-10-cm"])
    .optional()
    .describe("Embedded data set instead of `source`: ICD-10-CM inclusion terms and the codes they belong to."),
  format: z
    .enum(["auto", ...DATA_FORMS])
    .default("auto")
    .describe("Form of `source`; `auto` looks at the first rows."),
  run: z
    .string()
    .optional()
    .describe(
      "TREC run of the production retriever (query Q0 passage rank score tag), as candidates and hard negatives. Relative to the recipe.",
    ),
  seed: z.int().min(0).default(7).describe("Seed of the split, of sampling and of random negatives."),
  split: z
    .strictObject({
      dev: z
        .union([z.number().min(0.02).max(0.4), z.literal("auto")])
        .default("auto")
        .describe(
          "Share of queries, 0-1, that select the checkpoint. `auto`: a tenth, but 40 queries where that is more and at most a fifth, since with fewer the choice between base and tuned weights is mostly chance. A BEIR folder with qrels/dev.tsv keeps its own split unless it has no test.tsv; then dev is halved by query.",
        ),
      test: z.number().min(0.02).max(0.4).default(0.15).describe("Share of queries that are scored once, by verify."),
    })
    .prefault({})
    .describe("Split by query; near-duplicate queries stay on one side."),
  max_queries: z
    .strictObject({
      train: z.int().positive().optional().describe("At most this many training queries, drawn with the seed."),
      dev: z.int().positive().optional().describe("At most this many dev queries."),
      test: z.int().positive().optional().describe("At most this many test queries."),
    })
    .prefault({})
    .describe("Caps that bound the time of a run."),
  candidates: z
    .strictObject({
      from: z
        .enum(["auto", "judged", "run", "bm25"])
        .default("auto")
        .describe(
          "Candidates to rerank on dev and test: the run when given, else BM25 over all passages when there are unjudged ones, else the judged passages in BM25 order.",
        ),
      depth: z.int().min(2).max(1000).default(30).describe("Candidates a query on dev and test."),
    })
    .prefault({}),
  negatives: z
    .strictObject({
      from: z
        .enum(["auto", "judged", "run", "bm25"])
        .default("auto")
        .describe("Where training negatives come from beside the judged ones."),
      per_query: z
        .int()
        .min(1)
        .max(200)
        .default(24)
        .describe("Negatives kept a training query; each epoch samples from them."),
      skip_top: z
        .int()
        .min(0)
        .default(0)
        .describe("Ranks left out at the top of the first stage, against unlabelled positives."),
      random: z
        .int()
        .min(0)
        .default(2)
        .describe("Random passages among `per_query`; only-hard training loses the easy cases (training.md §3)."),
    })
    .prefault({}),
});
export type PrepareOptions = z.infer<typeof prepareSchema>;

/** Counts and digests only; no text of the user's. */
export interface PrepareOutput {
  queries: { train: number; dev: number; test: number };
  pairs: { train: number; dev: number; test: number };
  corpus_passages: number;
  /** sha256 (hex) of each groups file; goes into the provenance of the package. */
  digests: { train: string; dev: string; test: string };
  dropped: { duplicates: number; empty: number; conflicts: number };
  /** What the first stage alone reaches; 0-1. */
  first_stage: { name: string; recall_at_depth: number };
  candidates_from: "judged" | "run" | "bm25";
  languages?: string[];
}
