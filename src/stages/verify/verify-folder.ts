// The whole proof of one packaged folder, with or without labelled groups. Needs no Python and writes nothing into the folder.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { clustersOfGroups, type Group } from "../../dataset/groups.js";
import type { StageEvent } from "../../events.js";
import { probeProvider } from "../../inference/gpu-probe.js";
import { sharesText } from "../../inference/provider-shares.js";
import { loadTokenizer } from "../../inference/tokenizer.js";
import { isWorthTaking } from "../../ranking/outcomes.js";
import type { Scores } from "../../ranking/scores.js";
import { gateLine, worst } from "./gates.js";
import { judgeTuned, sliceLine } from "./judge-tuned.js";
import { addLateGates, passingVariants } from "./late-gates.js";
import { measureAllLatency } from "./latency-of-package.js";
import { machineRecord, saturationWarning } from "./machine.js";
import { type OpenedPackage, openPackage } from "./package-check.js";
import { alignScores, firstStageQuery, type GroupScores, qualityRow, rankedQueries } from "./quality.js";
import type { References } from "./references.js";
import type { TeiGpuReport, VariantReport, Verdict, VerifyOptions, VerifyOutput } from "./schema.js";
import { studentSpeed } from "./student-speed.js";
import { openTeacher, type Teacher } from "./teacher.js";
import { compareTokenIds, tokenizerGate } from "./tokenizer-gate.js";
import { measureVariant, type Provider, type Workload } from "./variant.js";

export interface VerifyRequest {
  folder: string;
  /** Test groups; without them only the golden pairs are proven. */
  groups?: readonly Group[];
  /** Without the tuned model's scores the fp32 graph is what the others are held against. */
  references?: References;
  /** Of a student: its layers; the teacher's folder is among the options. */
  student?: { kept_layers: number[]; teacher_layers: number };
  options: VerifyOptions;
  emit(event: StageEvent): void;
  signal: AbortSignal;
  /** Where the full report with its timings goes; not inside `folder`. */
  reportFile?: string;
  /** Scores the folder as TEI on a GPU would; needs Python, which this proof does not. */
  asTeiOnGpu?(maxLength: number): Promise<TeiGpuReport | null>;
  /** The compiled scoring process; for tests that run the sources. */
  processFile?: string;
}

/**
 * Proves a packaged folder. Returns its findings also when gates fail: the caller decides what that means.
 * @throws RerankTuneError PACKAGE_INVALID when files are not as packaged, SCORER_FAILED, RUNTIME_MISSING, INTERRUPTED, TERMINATED.
 */
export async function verifyFolder(request: VerifyRequest): Promise<VerifyOutput> {
  const { folder, options, emit, signal } = request;
  emit({ type: "phase", name: "checksums" });
  const opened = await openPackage(folder, signal);
  const saturation = saturationWarning(opened.manifest);
  if (saturation !== undefined) emit({ type: "warning", message: saturation });
  emit({ type: "phase", name: "tokenizer" });
  const work = await prepareWorkload(request, opened);
  const tokenizer = compareTokenIds(work.tokenizer, opened.golden);
  if (tokenizer.exotic.length > 0)
    emit({
      type: "warning",
      message: `the JavaScript tokenizer reads exotic Unicode differently in: ${tokenizer.exotic.join(", ")}`,
    });
  const providers = await workingProviders(request, opened);
  const variants = await measureVariants(request, opened, work, providers);
  for (const report of variants.filter(({ name }) => name === "fp32")) report.gates.unshift(tokenizerGate(tokenizer));
  emit({ type: "phase", name: "latency" });
  const teacher = options.teacher_dir === undefined ? undefined : await openTeacher(options.teacher_dir, signal, emit);
  const latency = await measureAllLatency(opened.variants, variants, work, emit, teacher);
  addLateGates(variants, latency, options);
  announce(variants, emit);
  const verdict = verdictOf(request, work);
  const guards = verdict?.guards.map(({ gate }) => gate.outcome) ?? [];
  const output: VerifyOutput = {
    outcome: worst([...variants.map(({ outcome }) => outcome), ...guards]),
    verdict,
    variants,
    ...referenceRows(work.groups, request.references ?? {}, opened.weightBytes, teacher),
    tokenizer,
    latency,
    tei_gpu: (await request.asTeiOnGpu?.(opened.manifest.max_length)) ?? null,
    ...speedOf(request, latency),
    machine: machineRecord(options.latency.threads),
    passing: passingVariants(variants),
  };
  if (request.reportFile !== undefined) await writeReport(request.reportFile, output);
  return output;
}

function speedOf({ student, references = {}, options, emit }: VerifyRequest, latency: VerifyOutput["latency"]) {
  if (student === undefined) return {};
  const speed = studentSpeed(latency, references, options.latency.gate_candidates);
  emit({ type: "note", message: `speed: ${speed.summary}` });
  return { student: speed };
}

async function prepareWorkload(request: VerifyRequest, opened: OpenedPackage): Promise<Workload> {
  const { folder, options, emit, signal } = request;
  const groups = request.groups ?? [];
  const tokenizer = await loadTokenizer(folder);
  const started = performance.now();
  const texts = groups.map(({ query, passages }) => ({ query, passages: passages.map(({ text }) => text) }));
  const encoded = [...tokenizer.encodeGroups(texts, opened.manifest.max_length)];
  const pairs = encoded.reduce((sum, { length }) => sum + length, 0);
  return {
    folder,
    tokenizer,
    golden: opened.golden,
    maxLength: opened.manifest.max_length,
    groups,
    encoded,
    encodeSecondsPerPair: pairs === 0 ? 0 : (performance.now() - started) / 1000 / pairs,
    options,
    signal,
    onProgress: (completed, total) => emit({ type: "progress", completed, total, unit: "pairs" }),
    ...(request.processFile === undefined ? {} : { processFile: request.processFile }),
  };
}

/** CPU always works; CUDA only where a probe in a child process shows it. */
async function workingProviders(request: VerifyRequest, opened: OpenedPackage): Promise<Provider[]> {
  const wanted = request.options.providers;
  if (!wanted.includes("cuda")) return ["cpu"];
  const { folder, signal, processFile, emit } = request;
  const modelFile = `${folder}/${opened.variants[0]?.file}`;
  const probe = await probeProvider("cuda", {
    modelFile,
    signal,
    ...(processFile === undefined ? {} : { processFile }),
  });
  if (probe.works) return wanted;
  emit({ type: "note", message: `CUDA is not measured: ${probe.reason}` });
  return ["cpu"];
}

async function measureVariants(
  request: VerifyRequest,
  opened: OpenedPackage,
  work: Workload,
  providers: readonly Provider[],
): Promise<VariantReport[]> {
  const reports: VariantReport[] = [];
  const { groups, references } = request;
  const tuned = references?.tuned === undefined ? undefined : alignScores(groups ?? [], references.tuned);
  let reference: GroupScores | undefined = tuned;
  for (const provider of providers)
    for (const variant of opened.variants) {
      request.emit({ type: "phase", name: `${variant.name} on ${provider}` });
      const measured = await measureVariant(variant, provider, work, reference);
      reference ??= measured.scores;
      reports.push(measured.report);
      note(measured.report, request.emit);
    }
  return reports;
}

function referenceRows(
  groups: readonly Group[],
  references: References,
  weightBytes: number,
  teacher: Teacher | undefined,
): Pick<VerifyOutput, "first_stage" | "base" | "tuned"> {
  if (groups.length === 0) return { first_stage: null, base: null, tuned: null };
  const clusterOf = clustersOfGroups(groups);
  const row = (scores: Scores | undefined, speed: number | null | undefined, bytes = weightBytes) => {
    if (scores === undefined) return null;
    return {
      ...qualityRow(rankedQueries(groups, scores), clusterOf),
      pairs_per_second: speed ?? null,
      bytes,
    };
  };
  return {
    first_stage: qualityRow(groups.map(firstStageQuery), clusterOf),
    // A base that already is a reranker has the tuned model's shape, so its weights have the same size; a student's is larger.
    base: row(references.base, references.base_pairs_per_second, teacher?.weightBytes),
    tuned: row(references.tuned, references.tuned_pairs_per_second),
  };
}

/** Null without labelled groups or without the tuned model's own scores: then there is nothing to judge training by. */
function verdictOf({ references, student, options, emit }: VerifyRequest, { groups }: Workload): Verdict | null {
  if (references?.tuned === undefined || groups.length === 0) return null;
  emit({ type: "phase", name: "verdict" });
  const { tuned, base, guards = [] } = references;
  const { guard_max_drop: guardMaxDrop, student_max_drop: maxDrop } = options.gates;
  const taught = student === undefined ? {} : { student: { ...student, maxDrop } };
  const verdict = judgeTuned({ groups, tuned, base, guards, guardMaxDrop, ...taught });
  emit({ type: isWorthTaking(verdict) ? "note" : "warning", message: verdict.summary });
  for (const slice of verdict.slices.filter(({ significant_loss }) => significant_loss))
    emit({ type: "warning", message: sliceLine(slice) });
  for (const { name, gate } of verdict.guards)
    emit({ type: gate.outcome === "failed" ? "warning" : "note", message: gateLine(`guard ${name}:`, gate) });
  return verdict;
}

function note(report: VariantReport, emit: (event: StageEvent) => void): void {
  if (report.quality !== null)
    emit({ type: "metric", name: `${report.name}.ndcg@10`, value: report.quality["ndcg@10"], split: "test" });
  if (report.nodes !== null)
    emit({
      type: "note",
      message: `${report.name} on ${report.provider}: nodes by provider ${sharesText(report.nodes)}`,
    });
}

function announce(reports: readonly VariantReport[], emit: (event: StageEvent) => void): void {
  for (const report of reports)
    for (const gate of report.gates)
      if (gate.outcome !== "passed")
        emit({
          type: gate.outcome === "failed" ? "warning" : "note",
          message: gateLine(`${report.name} on ${report.provider}:`, gate),
        });
}

async function writeReport(path: string, output: VerifyOutput): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify({ schema: 1, ...output }, null, 2)}\n`);
}
