// What verify found, read leniently: a field that another version did not write leaves its part of the report out.
import { z } from "zod";
import type { Artifact } from "../../artifacts/store.js";
import type { TeiGpuReport, Verdict } from "../../stages/verify/schema.js";
import type { Latency, OpenGate, Part, QualityLine } from "../data.js";

const pair = z.tuple([z.number(), z.number()]);
const outcome = z.enum(["passed", "failed", "inconclusive"]);
const reference = z.enum(["base", "first_stage"]);
const gate = z.object({
  gate: z.string(),
  outcome,
  measured: z.number().nullable(),
  limit: z.number(),
  detail: z.string(),
});
const quality = z.object({
  "ndcg@10": z.number(),
  "ndcg@10_interval": pair,
  "mrr@10": z.number(),
  "recall@5": z.number(),
  queries: z.int(),
  clusters: z.int().optional(),
});
const cost = { pairs_per_second: z.number().nullish(), bytes: z.number().nullish() };

const measurementSchema = z.object({
  variants: z.array(
    z.object({
      name: z.enum(["fp32", "int8", "fp16"]),
      provider: z.string(),
      outcome,
      gates: z.array(gate),
      quality: quality.nullable(),
      ...cost,
      nodes: z.object({ nodes: z.int(), shares: z.record(z.string(), z.number()) }).nullish(),
    }),
  ),
  first_stage: quality.nullable(),
  base: quality.extend(cost).nullable(),
  tuned: quality.extend(cost).nullable(),
});
type Measurement = z.infer<typeof measurementSchema>;

const latencySchema = z.object({
  latency: z.array(
    z.object({
      variant: z.string(),
      provider: z.string(),
      candidates: z.int(),
      tokens_per_pair: z.number(),
      samples: z.int(),
      p50_ms: z.number(),
      p95_ms: z.number(),
      p99_ms: z.number().nullable(),
    }),
  ),
  machine: z.object({
    cpu: z.string(),
    cores: z.int(),
    flags: z.array(z.string()),
    threads: z.int(),
    onnxruntime: z.string(),
    node: z.string(),
  }),
});

const verdictSchema: z.ZodType<{ verdict: Verdict | null }> = z.object({
  verdict: z
    .object({
      outcome: z.enum(["improved", "no_significant_gain", "worse", "within_limit", "inconclusive", "beyond_limit"]),
      against: reference,
      advice: z.enum([
        "take the tuned model",
        "keep the base",
        "keep the first stage",
        "take the student",
        "keep the teacher",
      ]),
      summary: z.string(),
      comparison: z.object({
        mean: z.number(),
        interval: pair,
        p_value: z.number(),
        exact: z.boolean(),
        queries: z.int(),
        clusters: z.int().optional(),
        wins: z.int(),
        ties: z.int(),
        losses: z.int(),
        cohen_dz: z.number().nullable(),
        smallest_detectable: z.number(),
      }),
      slices: z.array(
        z.object({
          by: z.enum(["language", "query_length", "source"]),
          name: z.string(),
          queries: z.int(),
          clusters: z.int().optional(),
          mean: z.number(),
          interval: pair,
          p_value: z.number().nullable(),
          p_holm: z.number().nullable(),
          significant_loss: z.boolean(),
        }),
      ),
      guards: z.array(
        z.object({ name: z.string(), queries: z.int(), clusters: z.int().optional(), against: reference, gate }),
      ),
      student: z
        .object({
          kept_layers: z.array(z.int()),
          teacher_layers: z.int(),
          share: z.number().nullable(),
          share_interval: pair.nullable(),
          gate,
        })
        .optional(),
    })
    .nullable(),
});

const teiGpuSchema: z.ZodType<{ tei_gpu: TeiGpuReport | null }> = z.object({
  tei_gpu: z
    .object({
      arithmetic: z.enum(["float16", "float32"]),
      activations_replaced: z.int(),
      queries: z.int(),
      pairs: z.int(),
      not_finite: z.int(),
      relative_error: z.number().nullable(),
      largest_change: z.number().nullable(),
      spearman: z.number().nullable(),
      top1_flips: z.int(),
      ndcg_difference: z.object({
        mean: z.number(),
        interval: pair,
        smallest_detectable: z.number(),
        clusters: z.int().optional(),
      }),
    })
    .nullable(),
});

export interface Verified {
  verdict: Part<Verdict>;
  quality: Part<QualityLine[]>;
  open_gates: OpenGate[];
  latency: Part<Latency>;
  tei_gpu: TeiGpuReport | null;
}

const AGAIN = "`rerank-tune verify` with the recipe measures it.";

/** Everything of the report that verify decides; sentences where it has not run or said less. */
export function collectVerified(verify: Artifact | undefined): Verified {
  if (verify === undefined) {
    const missing = `This training has not been verified yet; ${AGAIN}`;
    return { verdict: { missing }, quality: { missing }, open_gates: [], latency: { missing }, tei_gpu: null };
  }
  const { output } = verify.manifest;
  const found = measurementSchema.safeParse(output).data;
  const latency = latencySchema.safeParse(output).data;
  const read = verdictSchema.safeParse(output).data?.verdict;
  const verdict = read && withoutNames(read);
  const missing = `Verify was run by another version of rerank-tune that did not record this; ${AGAIN}`;
  return {
    verdict: verdict ?? { missing: verdict === null ? "Verify had nothing to judge the training by." : missing },
    quality: found === undefined ? { missing } : qualityLines(found),
    open_gates: openGates(found),
    latency:
      latency === undefined ? { missing } : { rows: latency.latency, machine: latency.machine, nodes: nodesOf(found) },
    tei_gpu: teiGpuSchema.safeParse(output).data?.tei_gpu ?? null,
  };
}

function nodesOf(found: Measurement | undefined): Latency["nodes"] {
  return (found?.variants ?? []).flatMap(({ name, provider, nodes }) =>
    nodes ? [{ variant: name, provider, nodes }] : [],
  );
}

/** Rows in the order of the tables of the command line. A variant stands with its figures on the CPU, where it has them. */
function qualityLines({ first_stage, base, tuned, variants }: Measurement): QualityLine[] {
  const lines: QualityLine[] = [];
  if (first_stage !== null) lines.push(qualityLine("first_stage", first_stage, {}));
  if (base !== null) lines.push(qualityLine("base", base, base));
  if (tuned !== null) lines.push(qualityLine("tuned", tuned, tuned));
  for (const name of ["fp32", "int8", "fp16"] as const) {
    const reports = variants.filter((variant) => variant.name === name);
    const report = reports.find(({ provider }) => provider === "cpu") ?? reports[0];
    if (report !== undefined) lines.push({ ...qualityLine(name, report.quality, report), outcome: report.outcome });
  }
  return lines;
}

interface Cost {
  pairs_per_second?: number | null | undefined;
  bytes?: number | null | undefined;
}

function qualityLine(name: QualityLine["name"], row: QualityLine["quality"], costs: Cost): QualityLine {
  const { pairs_per_second = null, bytes = null } = costs;
  return { name, quality: row, pairs_per_second, bytes, outcome: null };
}

/** A source or a guard set can be called after a client: they are numbered in the order of verify's own report. */
function withoutNames(verdict: Verdict): Verdict {
  let sources = 0;
  return {
    ...verdict,
    slices: verdict.slices.map((slice) => {
      if (slice.by !== "source") return slice;
      sources += 1;
      return { ...slice, name: `number ${sources}` };
    }),
    guards: verdict.guards.map((guard, index) => ({ ...guard, name: `guard set ${index + 1}` })),
  };
}

/** Gates of the variants that did not pass; guard sets have a table of their own. */
function openGates(found: Measurement | undefined): OpenGate[] {
  return (found?.variants ?? []).flatMap(({ name, provider, gates }) =>
    gates
      .filter((result) => result.outcome !== "passed")
      .map(({ gate: limited, outcome: ended, measured, limit }) => ({
        subject: `${name} on ${provider}`,
        gate: limited,
        outcome: ended,
        measured,
        limit,
      })),
  );
}
