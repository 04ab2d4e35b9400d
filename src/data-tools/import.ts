// `data import`: labelled data of any form becomes one file of another, with everything counted that was joined, adjusted or lost on the way.
import { readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { dataInvalid, type ProblemList } from "../dataset/findings.js";
import type { DataFormat, TargetForm } from "../dataset/forms.js";
import { joinEqualTexts } from "../dataset/join-texts.js";
import type { LabelledData } from "../dataset/labelled.js";
import { readLabelledData } from "../dataset/readers/detect.js";
import type { Shortfall } from "../dataset/writers/shortfall.js";
import { writeLabelledData } from "../dataset/writers/write.js";
import type { Problem } from "../errors.js";
import { RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";

export interface ImportOptions {
  /** File or folder to read. Errors repeat it, and `out`, as they are given. */
  path: string;
  from: DataFormat | "auto";
  to: TargetForm;
  /** File to write, a folder for `beir`; must not be there yet. */
  out: string;
  emit(event: StageEvent): void;
}

/** One kind of things that were settled while reading: how many, and the first places. */
export interface Settled {
  total: number;
  listed: Problem[];
}

export interface ImportResult {
  from: DataFormat;
  to: TargetForm;
  out: string;
  queries: number;
  passages: number;
  judgements: number;
  /** Judgements with a label above 0. */
  positives: number;
  /** Queries without any passage labelled above 0. */
  without_positives: number;
  teacher_scores: number;
  settled: Record<"duplicates" | "conflicts" | "empty" | "encoding" | "unknown" | "adjusted", Settled>;
  /** Fields that are not part of the form, with the rows that have them. */
  unused_fields: Record<string, number>;
  /** Queries of a folder that nobody judged; they are in no form of training data. */
  unjudged_queries: number;
  /** Passages whose id changed, because the same text has another or another text has the same. */
  renamed_passages: number;
  /** What the target form cannot hold. */
  lost: Shortfall[];
}

/**
 * Reads, checks and writes. Malformed rows are all named at once and nothing is written.
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID, USAGE when `out` is there already, NOT_WRITABLE, DISK_FULL.
 */
export async function importData({ path, from, to, out, emit }: ImportOptions): Promise<ImportResult> {
  await refuseExisting(out, to);
  emit({ type: "phase", name: "read labelled data" });
  const read = await readLabelledData(path, from, { source: "the path", form: (name) => `\`--from ${name}\`` });
  read.findings.throwIfFatal(path);
  if (read.queries.every(({ judgements }) => judgements.size === 0))
    throw dataInvalid(
      `${path} holds no usable labelled pair.`,
      "write one labelled pair a line: query, passage, label",
    );
  // Ids keep equal texts of a collection apart; only another collection can hold that.
  const data = to === "beir" ? read : joinEqualTexts(read);
  emit({ type: "phase", name: `write ${to}` });
  const lost = [...unjudgedLeftOut(read, data), ...(await writeLabelledData(out, to, data))];
  return describe(read, data, { to, out, lost });
}

/** What is there already was perhaps labelled by hand: it is never written over. */
async function refuseExisting(out: string, to: TargetForm): Promise<void> {
  const found = await stat(out).catch(() => undefined);
  const emptyFolder = to === "beir" && found?.isDirectory() === true && (await readdir(out)).length === 0;
  if (found !== undefined && !emptyFolder)
    throw new RerankTuneError({
      code: "USAGE",
      message: `${out} is there already.`,
      hint: "give another name with `--out`, or remove it first",
    });
  if (to !== "beir" && !/\.(jsonl|ndjson)$/i.test(out))
    throw new RerankTuneError({
      code: "USAGE",
      message: `${out} does not end in .jsonl, which is what is written.`,
      hint: "name the file .jsonl, such as `--out groups.jsonl`",
    });
  const folder = dirname(out);
  if (!(await stat(folder).catch(() => undefined))?.isDirectory())
    throw new RerankTuneError({
      code: "NOT_WRITABLE",
      message: `The folder ${folder} does not exist.`,
      hint: `make it first: \`mkdir -p ${folder}\``,
    });
}

/** Joining leaves the unjudged passages of a collection out before a writer sees them. */
function unjudgedLeftOut(read: LabelledData, data: LabelledData): Shortfall[] {
  if (read === data) return [];
  const judged = new Set(read.queries.flatMap(({ judgements }) => [...judgements.keys()]));
  const count = read.passageTexts.length - judged.size;
  const says = "passages that no query judges are left out";
  return count === 0 ? [] : [{ feature: "unjudged_passages", count, says }];
}

function describe(
  read: LabelledData,
  data: LabelledData,
  { to, out, lost }: Pick<ImportResult, "to" | "out" | "lost">,
): ImportResult {
  const judgements = data.queries.flatMap((query) => [...query.judgements.values()]);
  const isPositive = ({ label }: { label: number }): boolean => label > 0;
  const { duplicates, conflicts, empty, encoding, unknown } = read.findings;
  const adjusted = [read.adjusted, ...(data === read ? [] : [data.adjusted])];
  return {
    from: read.format,
    to,
    out,
    queries: data.queries.length,
    passages: data.passageTexts.length,
    judgements: judgements.length,
    positives: judgements.filter(isPositive).length,
    without_positives: data.queries.filter((query) => ![...query.judgements.values()].some(isPositive)).length,
    teacher_scores: judgements.filter(({ teacher_score }) => teacher_score !== undefined).length,
    settled: {
      duplicates: settled([duplicates]),
      conflicts: settled([conflicts]),
      empty: settled([empty]),
      encoding: settled([encoding]),
      unknown: settled([unknown]),
      adjusted: settled(adjusted),
    },
    unused_fields: Object.fromEntries(read.unusedFields),
    unjudged_queries: read.queryIds.size - read.queries.length,
    renamed_passages: read.renamedPassages + (data === read ? 0 : data.renamedPassages),
    lost,
  };
}

function settled(lists: readonly ProblemList[]): Settled {
  return {
    total: lists.reduce((sum, { total }) => sum + total, 0),
    listed: lists.flatMap(({ listed }) => listed),
  };
}
