// One variant on one provider: runs its graph over golden pairs and test groups, and holds the results against the gates.
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Group } from "../../dataset/groups.js";
import { packBatch } from "../../inference/batches.js";
import { measureProviderShares } from "../../inference/profile.js";
import type { ProviderShares } from "../../inference/provider-shares.js";
import { Scorer } from "../../inference/scorer.js";
import type { EncodedPair, PairTokenizer } from "../../inference/tokenizer.js";
import type { GoldenPairs } from "../../model-folder/layout.js";
import { judgeQuality } from "./agreement.js";
import { atMost, worst } from "./gates.js";
import { type Invariance, invarianceLimit, measureInvariance } from "./invariance.js";
import type { PresentVariant } from "./package-check.js";
import { type GroupScores, relativeError } from "./quality.js";
import type { GateResult, VariantReport, VerifyOptions } from "./schema.js";

export type Provider = "cpu" | "cuda";

/** What every variant is measured on; prepared once. */
export interface Workload {
  folder: string;
  tokenizer: PairTokenizer;
  golden: GoldenPairs;
  maxLength: number;
  groups: readonly Group[];
  /** The pairs of each group, encoded. */
  encoded: readonly EncodedPair[][];
  /** Seconds that took a pair, added to the scoring time. */
  encodeSecondsPerPair: number;
  options: VerifyOptions;
  signal: AbortSignal;
  processFile?: string;
  onProgress(completed: number, total: number): void;
}

export interface MeasuredVariant {
  report: VariantReport;
  /** Scores of each group of the workload. */
  scores: Float32Array[];
}

/**
 * @param reference scores of the tuned model for every group; undefined when this variant is the reference itself.
 */
export async function measureVariant(
  variant: PresentVariant,
  provider: Provider,
  work: Workload,
  reference: GroupScores | undefined,
): Promise<MeasuredVariant> {
  const scorer = await startScorer(variant, provider, work);
  try {
    const goldenPairs = work.golden.pairs.map(goldenPair);
    const goldenLogits = await scorer.scoreEncoded(goldenPairs);
    const { scores, seconds } = await scoreGroups(scorer, work);
    const sample = work.encoded.length > 0 ? work.encoded.flat() : goldenPairs;
    const invariance = await measureInvariance(scorer, sample, work.maxLength);
    const pairs = work.encoded.flat().length;
    const quality = judgeQuality(scores, work.groups, work.options, reference);
    const gates = [
      ...(variant.name === "fp32" ? [pyTorchGate(goldenLogits, work)] : []),
      finiteGate(goldenLogits, scores),
      ...invarianceGates(variant.name, invariance, work),
      ...quality.gates,
    ];
    const report: VariantReport = {
      name: variant.name,
      provider,
      outcome: worst(gates.map(({ outcome }) => outcome)),
      gates,
      quality: quality.row,
      ndcg_difference: quality.difference,
      spearman: quality.agreement?.spearman ?? null,
      top1_flips: quality.agreement?.top1_flips ?? null,
      threshold_crossings: quality.agreement?.threshold_crossings ?? null,
      relative_error:
        quality.agreement?.relative_error ??
        relativeError(
          goldenLogits,
          work.golden.pairs.map(({ logit }) => logit),
        ),
      pairs_per_second: pairs === 0 ? null : pairs / (seconds + pairs * work.encodeSecondsPerPair),
      bytes: variant.bytes,
      cold_start_ms: scorer.stats.coldStartMs,
      memory_bytes: scorer.stats.memoryBytes,
      nodes: provider === "cpu" ? null : await nodesOf(variant, provider, work, sample),
    };
    return { report, scores };
  } finally {
    await scorer.close();
  }
}

/** A scorer for one variant with the recipe's threads. */
export async function startScorer(variant: PresentVariant, provider: Provider, work: Workload): Promise<Scorer> {
  return await Scorer.start({
    folder: work.folder,
    variantFile: variant.file,
    maxLength: work.maxLength,
    provider,
    threads: work.options.latency.threads,
    tokenizer: work.tokenizer,
    signal: work.signal,
    ...(work.processFile === undefined ? {} : { processFile: work.processFile }),
  });
}

/** Pairs of the batch whose nodes are looked at. */
const PROFILED_PAIRS = 4;

async function nodesOf(
  variant: PresentVariant,
  provider: Provider,
  work: Workload,
  sample: readonly EncodedPair[],
): Promise<ProviderShares> {
  return await measureProviderShares(packBatch(sample.slice(0, PROFILED_PAIRS)), work.tokenizer.padId, {
    modelFile: join(work.folder, variant.file),
    provider,
    threads: work.options.latency.threads,
    signal: work.signal,
    ...(work.processFile === undefined ? {} : { processFile: work.processFile }),
  });
}

function goldenPair(pair: GoldenPairs["pairs"][number]): EncodedPair {
  return { ids: pair.input_ids, typeIds: pair.token_type_ids ?? pair.input_ids.map(() => 0), truncated: false };
}

async function scoreGroups(scorer: Scorer, work: Workload): Promise<{ scores: Float32Array[]; seconds: number }> {
  const started = performance.now();
  const flat = await scorer.scoreEncoded(work.encoded.flat(), work.onProgress);
  const seconds = (performance.now() - started) / 1000;
  let offset = 0;
  const scores = work.encoded.map(({ length }) => {
    offset += length;
    return flat.slice(offset - length, offset);
  });
  return { scores, seconds };
}

function pyTorchGate(logits: Float32Array, work: Workload): GateResult {
  let largest = 0;
  let name = "";
  for (const [index, pair] of work.golden.pairs.entries()) {
    const difference = Math.abs((logits[index] as number) - pair.logit);
    if (difference > largest || Number.isNaN(difference)) [largest, name] = [difference, pair.name];
    if (Number.isNaN(difference)) break;
  }
  return atMost(
    "fp32_max_abs_diff",
    largest,
    work.options.gates.fp32_max_abs_diff,
    `largest difference to PyTorch's logits over ${logits.length} golden pairs${name === "" ? "" : `, at ${name}`}`,
  );
}

function invarianceGates(variant: string, measured: Invariance, work: Workload): GateResult[] {
  const limit = invarianceLimit(variant, measured.largest, work.options.gates.invariance_max);
  return [
    atMost(
      "batch_invariance",
      measured.batch,
      limit,
      `largest change of a logit alone against a batch of ${measured.pairs}`,
    ),
    atMost(
      "padding_invariance",
      measured.padding,
      limit,
      `largest change of a logit by padding to ${work.maxLength} tokens`,
    ),
  ];
}

function finiteGate(golden: Float32Array, scores: readonly Float32Array[]): GateResult {
  const broken = (values: Float32Array) => values.filter((value) => !Number.isFinite(value)).length;
  const total = scores.reduce((sum, values) => sum + broken(values), broken(golden));
  return atMost("finite", total, 0, "scores that are not finite, hostile golden pairs included");
}
