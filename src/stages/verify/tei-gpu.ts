// What text-embeddings-inference will answer on a GPU: there it reads the safetensors in float16 with tanh-GELU, and no ONNX file. Scored in PyTorch, compared here.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { clustersOfGroups, type Group } from "../../dataset/groups.js";
import type { StageContext } from "../../pipeline/stage.js";
import { readScores, type Scores } from "../../ranking/scores.js";
import { runStageJob, type StageJob } from "../../worker/stage-job.js";
import { agreement } from "./agreement.js";
import { signed } from "./gates.js";
import { alignScores, flatten, ndcgDifference, rankedQueries } from "./quality.js";
import type { TeiGpuReport } from "./schema.js";

/** Under the stage's records: what differs between machines stays out of the artifact's digest. */
const FOLDER = join("records", "tei_gpu");
const SCORES_FILE = "scores.tsv";
/** Tokens that go through the model at once, as for `evaluate`. */
const BATCH_TOKENS = 4096;

const outputs = z.object({ pairs: z.int(), device: z.string(), activations_replaced: z.int() });

export interface TeiGpuRequest {
  context: StageContext;
  /** Packaged folder: its model.safetensors is what TEI opens. */
  folder: string;
  /** File of the test groups. */
  groupsFile: string;
  groups: readonly Group[];
  /** The tuned model's float32 scores. */
  tuned: Scores;
  maxLength: number;
  /** Whole queries are scored up to so many pairs. */
  pairs: number;
}

/**
 * Scores the first test queries as that server would.
 * @returns null where the split has no passage.
 * @throws RerankTuneError of the worker.
 */
export async function scoreAsTeiOnGpu(request: TeiGpuRequest): Promise<TeiGpuReport | null> {
  const { context, groups, tuned } = request;
  const outDir = join(context.outDir, FOLDER);
  await mkdir(outDir, { recursive: true });
  const done = await runStageJob({ ...context, outDir }, teiGpuJob(request), outputs);
  const report = compareWithTuned(groups, await readScores(join(outDir, SCORES_FILE)), tuned, done);
  if (report !== null) context.emit({ type: "note", message: teiGpuLine(report) });
  return report;
}

/** Inputs and options of the Python job; the only place that knows its argument names. Pure. */
export function teiGpuJob({ folder, groupsFile, maxLength, pairs }: TeiGpuRequest): StageJob {
  return {
    kind: "score",
    inputs: { model: folder, groups: groupsFile },
    options: {
      max_length: maxLength,
      device: "auto",
      batch_tokens: BATCH_TOKENS,
      served_as: "tei_gpu",
      max_pairs: pairs,
    },
  };
}

/** Scores of whole queries against the tuned model's on the same ones. Pure. */
export function compareWithTuned(
  groups: readonly Group[],
  served: Scores,
  tuned: Scores,
  { device, activations_replaced }: { device: string; activations_replaced: number },
): TeiGpuReport | null {
  const scored = groups.filter(({ query_id, passages }) => passages.length > 0 && served.has(query_id));
  if (scored.length === 0) return null;
  const [own, reference] = [alignScores(scored, served), alignScores(scored, tuned)];
  const exact = flatten(reference);
  const { relative_error, spearman, top1_flips } = agreement(scored, own, reference);
  const changes = flatten(own).map((score, index) => Math.abs(score - (exact[index] as number)));
  const broken = changes.filter((change) => !Number.isFinite(change)).length;
  return {
    arithmetic: device === "cuda" ? "float16" : "float32",
    activations_replaced,
    queries: scored.length,
    pairs: exact.length,
    not_finite: broken,
    relative_error,
    largest_change: broken > 0 ? null : changes.reduce((most, change) => Math.max(most, change), 0),
    spearman,
    top1_flips,
    ndcg_difference: ndcgDifference(
      rankedQueries(scored, served),
      rankedQueries(scored, tuned),
      clustersOfGroups(scored),
    ),
  };
}

/** The report in one line, without a full stop. */
export function teiGpuLine(report: TeiGpuReport): string {
  const { queries, pairs, top1_flips, not_finite, arithmetic } = report;
  const how = `float16 weights and tanh-GELU, ${arithmetic} arithmetic`;
  const over = `over ${pairs} pairs of ${queries} ${queries === 1 ? "query" : "queries"}`;
  if (not_finite > 0) return `${TEI_GPU} (${how}): ${not_finite} scores are not finite ${over}`;
  const error =
    report.relative_error === null
      ? "not defined"
      : `${(100 * report.relative_error).toFixed(2)} % of the scores' spread`;
  const { mean, interval } = report.ndcg_difference;
  const ndcg = `NDCG@10 ${signed(mean)} [${signed(interval[0])}, ${signed(interval[1])}]`;
  return `${TEI_GPU} (${how}): score error ${error}, ${ndcg}, another best passage for ${top1_flips}, ${over}`;
}

/** Its name in notes and reports. */
export const TEI_GPU = "TEI on a GPU (approximation on this machine)";
