// A synthetic query as a row of the canonical form, with where it comes from. Always for training: what a model made up measures nothing.
import { hashText } from "../../artifacts/hash.js";
import { SYNTHETIC } from "../../dataset/labelled.js";
import type { MadeQuery } from "./distinct.js";
import type { Judged } from "./judge.js";

/** How the queries of one file were made. */
export interface Provenance {
  model: string;
  prompt_sha256: string;
  seed: number;
  temperature: number;
}

/**
 * One line without its end.
 * @param lang language asked for; undefined when it is the passage's own.
 */
export function syntheticRow(
  query: MadeQuery,
  passage: { id: string; text: string },
  provenance: Provenance,
  lang: string | undefined,
  judged: Judged | undefined,
): string {
  return JSON.stringify({
    // By content, so that files from several runs can be put together.
    query_id: `${SYNTHETIC}-${hashText(`${passage.id}\n${query.text}`).slice(0, 12)}`,
    query: query.text,
    // `label` first: dataset/evaluation-data.ts takes passages that begin with `id` for candidates of a first stage.
    passages: [{ label: 1, id: passage.id, text: passage.text, source: SYNTHETIC }],
    ...(lang === undefined ? {} : { lang }),
    query_source: SYNTHETIC,
    split: "train",
    synthetic: {
      ...provenance,
      ...(judged === undefined ? {} : { judge_rank: judged.rank, judge_score: judged.score }),
    },
  });
}
