// Options of `verify`: the gates and what is measured. Its output is described in output.ts.
import { z } from "zod";

export const verifySchema = z.strictObject({
  guard: z
    .union([z.string(), z.array(z.string()).min(1)])
    .optional()
    .describe(
      "Labelled data of another domain that the tuned model must not get worse on, one path or several, in any form of `prepare.source`. Relative to the recipe.",
    ),
  gates: z
    .strictObject({
      fp32_max_abs_diff: z
        .number()
        .positive()
        .default(1e-4)
        .describe("Largest |logit difference| of the fp32 graph against PyTorch on the golden pairs."),
      ndcg_max_drop: z
        .number()
        .min(0)
        .max(1)
        .default(0.005)
        .describe(
          "NDCG@10 a variant may lose against the tuned model; passes when the 95 % interval of the difference lies above minus this, fails when it lies below, else inconclusive.",
        ),
      invariance_max: z
        .number()
        .positive()
        .default(1e-5)
        .describe("Largest change of a logit between a pair scored alone and in a batch, or with more padding."),
      guard_max_drop: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe(
          "NDCG@10 the tuned model may lose against the base on a guard set; judged by the interval as `ndcg_max_drop` is.",
        ),
      student_max_drop: z
        .number()
        .min(0)
        .max(1)
        .default(0.01)
        .describe(
          "NDCG@10 a student (`train.student`) may lose against its teacher; judged by the interval as `ndcg_max_drop` is, and published only where it passes.",
        ),
      spearman_min: z
        .number()
        .min(-1)
        .max(1)
        .default(0.98)
        .describe("Mean rank correlation a query with the tuned model."),
      top1_flips_max: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe("Share of queries that may have another best passage; not a gate unless given."),
      threshold_crossings_max: z
        .number()
        .min(0)
        .max(1)
        .optional()
        .describe("Share of pairs that may lie on the other side of `verify.threshold`; not a gate unless given."),
      min_speedup: z
        .number()
        .min(0)
        .optional()
        .describe("Least speed of int8 as a multiple of fp32 on this machine; not a gate unless given."),
      p95_ms: z
        .number()
        .positive()
        .optional()
        .describe(
          "Limit of the 95th percentile latency of the fastest passing variant at `latency.gate_candidates` candidates; not a gate unless given.",
        ),
    })
    .prefault({}),
  threshold: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.5)
    .describe("sigmoid(score) from which on your search keeps a passage: pairs that change sides are counted."),
  latency: z
    .strictObject({
      candidates: z.array(z.int().min(1)).default([10, 20, 50, 100]).describe("Candidates a request."),
      gate_candidates: z.int().min(1).default(50).describe("Candidates the `p95_ms` gate looks at."),
      budget_seconds: z
        .number()
        .positive()
        .default(20)
        .describe("Time for all latency measurements together; samples stop when it is spent."),
      threads: z.int().min(0).default(0).describe("Threads of ONNX Runtime; 0 leaves one a physical core."),
    })
    .prefault({}),
  providers: z
    .array(z.enum(["cpu", "cuda"]))
    .default(["cpu", "cuda"])
    .describe("Execution providers to measure; cuda only where a probe in a child process shows that it works."),
  tei_gpu_pairs: z
    .int()
    .min(0)
    .default(1000)
    .describe(
      "Pairs of the test split, in whole queries, that PyTorch also scores as text-embeddings-inference does on a GPU (float16 weights, tanh-GELU); 0 leaves it out.",
    ),
});
/** `teacher_dir`: of a student, the folder of its base. */
export type VerifyOptions = z.infer<typeof verifySchema> & { teacher_dir?: string };

export type {
  GateOutcome,
  GateResult,
  GuardReport,
  LatencyRow,
  NdcgDifference,
  QualityRow,
  Reference,
  StudentSpeed,
  StudentVerdict,
  TeiGpuReport,
  VariantReport,
  Verdict,
  VerifyOutput,
} from "./output.js";
