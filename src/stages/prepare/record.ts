// Says what prepare did, as notes and warnings for people and as records/report.json. Counts and line numbers only.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { clustersOfGroups, type Group, SPLITS } from "../../dataset/groups.js";
import type { LabelledData } from "../../dataset/labelled.js";
import { FOLDS_BELOW } from "../../dataset/query-split.js";
import type { StageContext } from "../../pipeline/stage.js";
import { clustersField } from "../../ranking/clusters.js";
import { ndcgAt } from "../../ranking/ndcg.js";
import { describeLengths, type LengthReport } from "./lengths.js";
import type { Groups, Kinds } from "./make-groups.js";
import { findingKinds, findingsRecord, powerNote, warnings } from "./report.js";
import type { PrepareOutput } from "./schema.js";
import type { SplitResult } from "./split.js";

/** What the stage knows beyond its output. */
export interface Noticed {
  data: LabelledData;
  split: SplitResult;
  kinds: Kinds;
  groups: Groups;
  lengths: LengthReport | undefined;
  /** Queries without any passage labelled above 0. */
  without_positives: number;
}

/** Emits notes and warnings, and writes the record below `context.outDir`. */
export async function record(context: StageContext, output: PrepareOutput, noticed: Noticed): Promise<void> {
  const { data, split, kinds, groups, lengths, without_positives } = noticed;
  const found = findingKinds(data, split);
  const ndcg = meanNdcg(groups.test);
  const { clusters } = clustersField(clustersOfGroups(groups.test));
  for (const message of warnings(found)) context.emit({ type: "warning", message });
  if (without_positives > 0)
    context.emit({
      type: "warning",
      message: `${without_positives} queries have no passage labelled above 0; they are left out`,
    });
  for (const message of [...notes(output, data.format, ndcg), powerNote(output.queries.test, clusters)])
    context.emit({ type: "note", message });
  if (lengths !== undefined) context.emit({ type: "note", message: describeLengths(lengths) });
  const { train, dev, test } = output.queries;
  const queries = train + dev + test;
  if (queries < FOLDS_BELOW)
    context.emit({
      type: "note",
      message: `${queries} queries make a small test split; \`rerank-tune folds RECIPE\` tests every query once`,
    });
  const report = {
    format: data.format,
    ...output,
    test_clusters: clusters,
    negatives_from: kinds.negatives,
    "first_stage_ndcg@10": ndcg,
    without_positives,
    lengths,
    findings: findingsRecord(found),
  };
  await mkdir(join(context.outDir, "records"), { recursive: true });
  await writeFile(join(context.outDir, "records", "report.json"), `${JSON.stringify(report, null, 2)}\n`);
}

function notes(
  { queries, pairs, first_stage, candidates_from, corpus_passages }: PrepareOutput,
  format: string,
  ndcg: number,
): string[] {
  const sides = SPLITS.map((side) => `${side} ${queries[side]} queries (${pairs[side]} pairs)`);
  const order =
    candidates_from === "judged"
      ? `judged passages in the order of ${first_stage.name}`
      : `${first_stage.name} over ${corpus_passages} passages`;
  const recall = (100 * first_stage.recall_at_depth).toFixed(1);
  return [
    `${format}: ${sides.join(", ")}`,
    `candidates: ${order}; on test NDCG@10 ${(100 * ndcg).toFixed(2)}, with ${recall}% of the relevant passages among the candidates`,
  ];
}

/** Mean NDCG@10 of the first stage's own order; 0-1. */
function meanNdcg(groups: readonly Group[]): number {
  const values = groups.map(({ passages, missed = [] }) =>
    ndcgAt(
      {
        scores: passages.map((_, at) => -at),
        labels: passages.map(({ label }) => label),
        ids: passages.map(({ id }) => id),
        missed,
      },
      10,
    ),
  );
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}
