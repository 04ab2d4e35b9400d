// `verify`: for a recipe the pipeline up to that stage; for a folder the proof of a packaged model on this machine, with its report beside it.
import { readFile, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { readEvaluationData } from "../dataset/evaluation-data.js";
import { RerankTuneError } from "../errors.js";
import { MODEL_FILES, packageManifestSchema } from "../model-folder/layout.js";
import { parseVerifySection } from "../recipe/parse.js";
import { gateFailure } from "../stages/verify/gate-failure.js";
import { verifyFolder } from "../stages/verify/index.js";
import type { VerifyOptions, VerifyOutput } from "../stages/verify/schema.js";
import type { Paint } from "../ui/colors.js";
import type { Renderable } from "../ui/output.js";
import { columns, resultTable } from "../ui/table.js";
import { type CommandContext, displayPath, type RunFlags } from "./context.js";
import { variantRows } from "./result.js";
import { runRecipe } from "./run.js";
import { type SignatureFlags, verifyFolderSignature } from "./verify-signature.js";

export interface FolderData extends VerifyOutput {
  folder: string;
  /** Null when the place beside the folder cannot be written. */
  report: string | null;
}

export async function verifyRecipeOrFolder(
  path: string,
  flags: RunFlags & SignatureFlags,
  context: CommandContext,
): Promise<Renderable> {
  if (flags.signature !== undefined) return await verifyFolderSignature(path, flags);
  const found = path === "-" ? undefined : await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    if (flags.dryRun === true) throw noPlan();
    return await proveFolder(resolve(path), flags, context);
  }
  if (flags.data !== undefined)
    throw new RerankTuneError({
      code: "USAGE",
      message: "--data goes with the folder of a packaged model, not with a recipe.",
      hint: "name the data in the recipe (`prepare.source`), or override it: `--set prepare.source=FILE`",
    });
  return await runRecipe(path, "verify", flags, context);
}

function noPlan(): RerankTuneError {
  return new RerankTuneError({
    code: "USAGE",
    message: "--dry-run goes with a recipe, not with the folder of a packaged model: its proof is one step.",
    hint: "leave --dry-run out; nothing in the folder is changed",
  });
}

async function proveFolder(folder: string, flags: RunFlags, context: CommandContext): Promise<Renderable> {
  const { emit, signal } = context;
  const { data } = flags;
  const options = await gatesOf(folder, flags.set);
  const evaluation = data === undefined ? undefined : await readEvaluationData(resolve(data));
  const found = await verifyFolder({
    folder,
    options,
    emit,
    signal,
    ...(evaluation === undefined ? {} : { groups: evaluation.groups }),
  });
  // Candidates in the order of a file are no first stage.
  const output: VerifyOutput = evaluation?.ranked === true ? found : { ...found, first_stage: null };
  const report = await writeReport(folder, output, context);
  const failure = gateFailure(
    output,
    output.passing.length === 0
      ? "do not serve this model here; pull it again or make it again"
      : `serve ${output.passing.join(" or ")} here`,
  );
  return {
    data: { ...output, folder, report } satisfies FolderData,
    essential: output.outcome,
    text: (paint) => folderText(output, report, paint),
    ...(failure === undefined ? {} : { failure }),
  };
}

/** The limits the model was made with travel in its folder; one that carries none is held against the defaults. */
async function gatesOf(folder: string, overrides: readonly string[]): Promise<VerifyOptions> {
  const file = join(folder, MODEL_FILES.manifest);
  return parseVerifySection((await readRecordedRecipe(file))?.verify, { file, overrides });
}

/** Undefined where there is none: what is missing or damaged is said by verifyFolder, which looks at the whole folder. */
async function readRecordedRecipe(file: string): Promise<Record<string, unknown> | undefined> {
  try {
    return packageManifestSchema.parse(JSON.parse(await readFile(file, "utf8"))).recipe;
  } catch {
    return undefined;
  }
}

/** Beside the folder, because nothing in it may change. */
async function writeReport(folder: string, output: VerifyOutput, context: CommandContext): Promise<string | null> {
  const path = join(dirname(folder), `${basename(folder)}.verify.json`);
  try {
    await writeFile(path, `${JSON.stringify({ schema: 1, ...output }, null, 2)}\n`);
    return path;
  } catch (error) {
    context.emit({
      type: "warning",
      message: `the report could not be written to ${path} (${(error as NodeJS.ErrnoException).code}); --json prints it`,
    });
    return null;
  }
}

function folderText(output: VerifyOutput, report: string | null, paint: Paint): string {
  const lines = output.variants.flatMap(({ name, provider, gates }) =>
    gates.map((gate) => [
      name,
      provider,
      gate.gate,
      gate.outcome,
      gate.measured === null ? "-" : String(Number(gate.measured.toPrecision(3))),
    ]),
  );
  const latency = output.latency.map((row) => [
    row.variant,
    String(row.candidates),
    row.p50_ms.toFixed(1),
    row.p95_ms.toFixed(1),
    row.p99_ms?.toFixed(1) ?? "-",
  ]);
  const blocks = [
    output.variants.some(({ quality }) => quality !== null) ? resultTable(variantRows(output), paint) : "",
    columns([["variant", "on", "gate", "outcome", "measured"], ...lines], [1, 2, 3]).join("\n"),
    latency.length === 0 ? "" : columns([["latency ms", "candidates", "p50", "p95", "p99"], ...latency]).join("\n"),
    `${output.outcome}: ${output.passing.join(", ") || "no variant"} may serve here${report === null ? "" : `\nreport  ${displayPath(report)}`}`,
  ];
  return blocks.filter((block) => block !== "").join("\n\n");
}
