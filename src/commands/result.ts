// The answer of run and quickstart, computed from the outputs of the stages; the same for `--json` and for the table.
import { join } from "node:path";
import type { PipelineResult, StageResult } from "../pipeline/execute.js";
import type { StageName } from "../pipeline/stage.js";
import type { PackageOutput } from "../stages/package/schema.js";
import type { PublishOutput } from "../stages/publish/schema.js";
import type { QualityRow, StudentSpeed, VariantReport, Verdict, VerifyOutput } from "../stages/verify/schema.js";
import type { VariantRow } from "../ui/table.js";

/** `data` of `run`, `quickstart` and the stage commands. Null where the pipeline did not come so far. */
export interface RunData {
  recipe: string;
  variants: VariantRow[];
  /** Whether the tuned model beats the base (or, with a fresh head, the first stage) on the test split. */
  verdict: Verdict | null;
  /** How much faster a student answers than its teacher; null for any other model. */
  student: StudentSpeed | null;
  package: string | null;
  tei_package: string | null;
  /** `name@sha256:<hex>` in the registry. */
  version: string | null;
  registry: string;
  /** Variants that verify kept from being published. */
  withheld: { name: string; reason: string }[];
  stages: StageResult[];
  /** Artifact folder of each finished stage. */
  folders: Partial<Record<StageName, string>>;
}

/** An output is what the stage's own schema says; the store keeps it as JSON. */
export function runData(recipe: string, registry: string, result: PipelineResult): RunData {
  const packaged = result.outputs.package as PackageOutput | undefined;
  const verified = result.outputs.verify as VerifyOutput | undefined;
  const published = result.outputs.publish as PublishOutput | undefined;
  const folder = result.dirs.package;
  const inside = (path: string | undefined) => (path === undefined || folder === undefined ? null : join(folder, path));
  return {
    recipe,
    variants: verified === undefined ? [] : variantRows(verified),
    verdict: verified?.verdict ?? null,
    student: verified?.student ?? null,
    package: inside(packaged?.model),
    tei_package: inside(packaged?.tei_int8),
    version: published?.version ?? null,
    registry: published?.registry ?? registry,
    withheld: published?.withheld ?? [],
    stages: result.stages,
    folders: result.dirs,
  };
}

/** Rows in the order first stage, base, tuned, fp32, int8, fp16; `base` only where the base already is a reranker. */
export function variantRows(output: VerifyOutput): VariantRow[] {
  const { first_stage, base, tuned } = output;
  const rows: VariantRow[] = [];
  if (first_stage !== null) rows.push(row("first_stage", first_stage, {}));
  if (base !== null) rows.push(row("base", base, base));
  if (tuned !== null) rows.push(row("tuned", tuned, tuned));
  for (const name of ["fp32", "int8", "fp16"] as const) {
    const report = onCpuFirst(output.variants.filter((variant) => variant.name === name));
    if (report !== undefined) rows.push({ ...row(name, report.quality, report), outcome: report.outcome });
  }
  return rows;
}

/** A variant may have been measured on several providers; the table shows the one every machine has. */
function onCpuFirst(reports: VariantReport[]): VariantReport | undefined {
  return reports.find(({ provider }) => provider === "cpu") ?? reports[0];
}

function row(
  name: VariantRow["name"],
  quality: QualityRow | null,
  cost: { pairs_per_second?: number | null; bytes?: number },
): VariantRow {
  return {
    name,
    "ndcg@10": quality?.["ndcg@10"] ?? null,
    "ndcg@10_interval": quality?.["ndcg@10_interval"] ?? null,
    "mrr@10": quality?.["mrr@10"] ?? null,
    "recall@5": quality?.["recall@5"] ?? null,
    pairs_per_second: cost.pairs_per_second ?? null,
    bytes: cost.bytes ?? null,
    outcome: null,
  };
}
