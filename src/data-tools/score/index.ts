// `data score`: a larger reranker's scores as soft labels on every passage of labelled data, written as graded groups.
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, hashFile, hashText, listFiles } from "../../artifacts/hash.js";
import { dataInvalid, dataNotFound, Findings } from "../../dataset/findings.js";
import { RerankTuneError } from "../../errors.js";
import { canonicalLine } from "../reading/canonical.js";
import { type JudgedGroup, settle } from "../reading/judged-group.js";
import { openData } from "../reading/open-data.js";
import type { StreamedData } from "../reading/streamed-data.js";
import { scoreBlocks } from "./blocks.js";
import { openTeacher } from "./open-teacher.js";
import type { ScoreContext, ScoreOptions, ScoreReport, TeacherOptions } from "./options.js";
import { PartFile } from "./part-file.js";
import { refuseIdsWithTabs, writeScoreTable } from "./score-table.js";
import { summaryOf } from "./summary.js";
import type { Teacher } from "./teacher.js";
import { inWorkFolder } from "./work.js";

const PART = "scored.jsonl";
const TABLE = "scores.tsv";

/**
 * Scores of the data that were there before are replaced: those of two teachers cannot be compared.
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID, USAGE, MODEL_*, SCORER_FAILED, WORKER_*, ENDPOINT_FAILED, FOLDER_IN_USE,
 * INTERRUPTED, TERMINATED.
 */
export async function scoreData(options: ScoreOptions, context: ScoreContext): Promise<ScoreReport> {
  const { source, out, scores, resume } = options;
  const place = out ?? scores;
  if (place === undefined)
    throw usage("Nothing says where the scores go.", "add --out FILE.jsonl or --scores FILE.tsv");
  if (scores !== undefined && existsSync(scores))
    throw usage(`${scores} is there already.`, "remove it, or name another file with --scores");
  context.emit({ type: "phase", name: "check the inputs" });
  const input = await digestOf(source);
  const teacher = await openTeacher(options.teacher, context);
  try {
    const identity = { ...teacher.identity, "labelled data": input, format: options.format };
    return await inWorkFolder({ out: place, identity, resume, part: PART, signal: context.signal }, async (folder) => {
      const file = join(folder, PART);
      const done = await scoreInto(file, folder, teacher, options, context);
      const summary = await summaryOf(file);
      warnOf(summary, options.teacher, context);
      const table = out === undefined ? join(folder, TABLE) : scores;
      if (table !== undefined) await writeScoreTable(file, table);
      const result = { out: out ?? null, scores: scores ?? null, teacher: teacher.name, ...summary, ...done };
      return { file: out === undefined ? (table as string) : file, result };
    });
  } finally {
    await teacher.close();
  }
}

async function scoreInto(
  file: string,
  folder: string,
  teacher: Teacher,
  { source, format, scores }: ScoreOptions,
  context: ScoreContext,
): Promise<Pick<ScoreReport, "resumed" | "replaced">> {
  context.emit({ type: "phase", name: "read labelled data" });
  const findings = new Findings();
  const data = await openData(source, { format, findings, scratch: folder });
  try {
    findings.throwIfFatal(source);
    if (data.pairs === 0) throw dataInvalid(`${source} holds no labelled pair.`, "write one labelled pair a line");
    if (scores !== undefined) refuseIdsWithTabs(data.groups());
    const part = await PartFile.open(file);
    const counts = new Counts();
    await scoreGroups(data, counts, teacher, part, context);
    counts.warn(findings, context.emit);
    return { resumed: part.found, replaced: counts.replaced };
  } finally {
    data.close();
  }
}

async function scoreGroups(
  data: StreamedData,
  counts: Counts,
  teacher: Teacher,
  part: PartFile,
  { signal, emit }: ScoreContext,
): Promise<void> {
  emit({ type: "phase", name: `score with ${teacher.name}` });
  await scoreBlocks({
    items: settled(data, counts),
    teacher,
    part,
    groupOf: ({ query, passages }) => ({ query: query.text, passages: passages.map(({ text }) => text) }),
    lineOf: ({ query, passages }, scores) => {
      const scored = passages.map((row, at) => ({ ...row, teacher_score: scores[at] as number }));
      return canonicalLine({ query, passages: scored });
    },
    onProgress: (completed) => emit({ type: "progress", completed, total: data.queryCount, unit: "queries" }),
    signal,
  });
}

function usage(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "USAGE", message, hint });
}

/** What the settling of groups changed; nothing of it may go unsaid. */
class Counts {
  replaced = 0;
  duplicates = 0;
  contradictions = 0;

  add({ passages, duplicates, contradictions }: JudgedGroup): void {
    this.replaced += passages.filter(({ teacher_score }) => teacher_score !== undefined).length;
    this.duplicates += duplicates.length;
    this.contradictions += contradictions.length;
  }

  warn({ empty }: Findings, emit: ScoreContext["emit"]): void {
    const told = [
      [this.contradictions, "pairs are judged twice with different labels; the higher label is kept"],
      [this.duplicates, "pairs stand twice; one is kept"],
      [empty.total, "rows have an empty text; they are left out"],
      [this.replaced, "passages had a teacher score; it is replaced"],
    ] as const;
    for (const [count, what] of told) if (count > 0) emit({ type: "warning", message: `${count} ${what}` });
  }
}

function* settled(data: StreamedData, counts: Counts): Generator<JudgedGroup> {
  for (const group of data.groups()) {
    const judged = settle(group);
    counts.add(judged);
    yield judged;
  }
}

/** A teacher that contradicts the labels teaches the contrary, and squashed scores teach small margins. */
function warnOf(
  { agreement, lowest, highest }: Pick<ScoreReport, "agreement" | "lowest" | "highest">,
  teacher: TeacherOptions,
  { emit }: ScoreContext,
): void {
  if (agreement !== null && agreement <= 0.5)
    emit({
      type: "warning",
      message: "the teacher orders passages no better than chance by your labels: do not train on it",
    });
  if (!("folder" in teacher) && !teacher.toLogits && lowest >= 0 && highest <= 1)
    emit({
      type: "warning",
      message: "all scores lie from 0 to 1, so they look like probabilities; margin_mse wants logits: --to-logits",
    });
}

/** Digest of a file, or of all files of a folder. @throws RerankTuneError DATA_NOT_FOUND. */
async function digestOf(source: string): Promise<string> {
  const found = await stat(source).catch(() => undefined);
  if (found === undefined)
    throw dataNotFound(
      `There is no file or folder ${source}.`,
      "give labelled data: pairs, graded groups or another form as JSONL, CSV or TSV, or a BEIR or TREC folder",
    );
  if (!found.isDirectory()) return await hashFile(source);
  const digests: [string, string][] = [];
  for (const name of await listFiles(source)) digests.push([name, await hashFile(join(source, name))]);
  return hashText(canonicalJson(digests));
}
