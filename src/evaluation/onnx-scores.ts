// Scores groups with one ONNX variant, in blocks, so that only a block's tokens are in memory.
import { Scorer } from "../inference/scorer.js";
import { VARIANT_FILES, type VariantName } from "../model-folder/layout.js";
import type { EvaluationGroup } from "./groups.js";
import type { EvaluatedModel } from "./model.js";
import type { ModelScores, ScoringContext } from "./scores.js";

/** Enough for batches of like length; 4,096 pairs of 512 tokens are some 20 MB. */
const BLOCK_PAIRS = 4096;

export async function scoreWithOnnx(
  model: EvaluatedModel & { variant: VariantName },
  groups: readonly EvaluationGroup[],
  context: ScoringContext,
): Promise<ModelScores> {
  const scorer = await Scorer.start({
    folder: model.folder,
    variantFile: VARIANT_FILES[model.variant],
    maxLength: model.max_length,
    signal: context.signal,
    ...(context.processFile === undefined ? {} : { processFile: context.processFile }),
  });
  try {
    return await scoreBlocks(scorer, model.max_length, groups, context);
  } finally {
    await scorer.close();
  }
}

async function scoreBlocks(
  scorer: Scorer,
  maxLength: number,
  groups: readonly EvaluationGroup[],
  { emit }: ScoringContext,
): Promise<ModelScores> {
  const total = groups.reduce((sum, { candidates }) => sum + candidates.length, 0);
  const result: ModelScores = { groups: [], seconds: 0, pairs_at_max_length: 0, device: "cpu" };
  const started = performance.now();
  let before = 0;
  for (const block of blocksOf(groups, BLOCK_PAIRS)) {
    const texts = block.map(({ query, candidates }) => ({ query, passages: candidates.map(({ text }) => text) }));
    const encoded = [...scorer.tokenizer.encodeGroups(texts, maxLength)];
    const pairs = encoded.flat();
    const scores = await scorer.scoreEncoded(pairs, (completed) =>
      emit({ type: "progress", completed: before + completed, total, unit: "pairs" }),
    );
    before += pairs.length;
    result.pairs_at_max_length += pairs.filter(({ ids }) => ids.length >= maxLength).length;
    let offset = 0;
    for (const { length } of encoded) {
      result.groups.push(scores.subarray(offset, offset + length));
      offset += length;
    }
  }
  result.seconds = (performance.now() - started) / 1000;
  return result;
}

/** Whole groups in their order; a block is closed once it holds `pairs`. */
function* blocksOf(groups: readonly EvaluationGroup[], pairs: number): Generator<EvaluationGroup[]> {
  let block: EvaluationGroup[] = [];
  let count = 0;
  for (const group of groups) {
    block.push(group);
    count += group.candidates.length;
    if (count < pairs) continue;
    yield block;
    block = [];
    count = 0;
  }
  if (block.length > 0) yield block;
}
