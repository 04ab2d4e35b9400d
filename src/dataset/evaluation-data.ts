// Labelled groups to measure a finished model on: a test split that prepare wrote, or labelled data of any form, its judged passages as candidates.
import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { dataInvalid } from "./findings.js";
import { type Group, groupsFile, readAllGroups } from "./groups.js";
import type { LabelledData } from "./labelled.js";
import { readLabelledData } from "./readers/detect.js";

export interface EvaluationData {
  groups: Group[];
  /** Whether the order of the candidates is that of a first stage; else it means nothing. */
  ranked: boolean;
}

/**
 * @param path groups file of prepare, its artifact folder, or labelled data as `prepare.source` takes it.
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID.
 */
export async function readEvaluationData(path: string): Promise<EvaluationData> {
  const prepared = await preparedFile(path);
  if (prepared !== undefined) return { groups: await readAllGroups(prepared), ranked: true };
  const data = await readLabelledData(path, "auto");
  data.findings.throwIfFatal(path);
  const groups = judgedGroups(data);
  if (groups.length === 0)
    throw dataInvalid(
      `${path} has no query with both a relevant and another passage, so there is nothing to rank.`,
      `give the test split of a run: the file ${groupsFile("test")} in its 01-prepare folder`,
    );
  return { groups, ranked: false };
}

/** Queries with something to rank, their judged passages in the order of the data. */
export function judgedGroups(data: LabelledData): Group[] {
  const groups = data.queries.map(
    (query): Group => ({
      query_id: query.id,
      query: query.text,
      passages: [...query.judgements].map(([passage, { label }]) => ({
        id: data.passageIds[passage] ?? "",
        text: data.passageTexts[passage] ?? "",
        label,
        source: "judged",
      })),
      ...(query.lang === undefined ? {} : { lang: query.lang }),
    }),
  );
  return groups.filter(({ passages }) => {
    const relevant = passages.filter(({ label }) => label > 0).length;
    return relevant > 0 && relevant < passages.length;
  });
}

/** Groups as prepare writes them say where each candidate came from and at which rank; a person's own groups do not. */
async function preparedFile(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    const inside = join(path, groupsFile("test"));
    return existsSync(inside) ? inside : undefined;
  }
  if (found === undefined || !path.endsWith(".jsonl")) return undefined;
  const [first = ""] = (await readFile(path, "utf8")).split("\n", 1);
  return /"passages":\[\{"id":.*"source":".*"rank":\d/.test(first) ? path : undefined;
}
