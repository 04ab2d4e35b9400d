// The labelled data as mining needs it: each query with its judged passages as they are, and every text known to be relevant to it.
import type { Split } from "../../dataset/groups.js";
import type { Judgement, LabelledData, LabelledQuery } from "../../dataset/labelled.js";
import { readLabelledData } from "../../dataset/readers/detect.js";
import type { SourceWords } from "../../dataset/readers/form-of-path.js";
import { normalisedKey } from "../../dataset/text.js";
import { judgementDetails, queryDetails } from "../../dataset/writers/graded-groups.js";
import type { MineContext } from "./options.js";

/** A judged passage. */
export interface JudgedPassage {
  id: string;
  /** Whole passage, the title in front. */
  text: string;
  label: number;
  /** Everything the data says of it, under the names of the canonical form: this reaches the output. */
  row: object;
}

export interface MineQuery {
  id: string;
  text: string;
  judged: JudgedPassage[];
  /** Texts relevant to other queries of the same words: no negatives either. */
  alsoRelevant: string[];
  split: Split | undefined;
  /** Language, group keys and split under the names of the canonical form. */
  details: object;
}

/** What hints call the path and the form: both come from the command line here. */
const OF_COMMAND: SourceWords = {
  source: "the path; name a file of labelled rows or a folder with judgements",
  form: (name) => `the form ${name} (\`rerank-tune data import --from ${name}\` makes graded groups of it)`,
};

/**
 * Reads all queries with a judgement.
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID.
 */
export async function readQueries(source: string, emit: MineContext["emit"]): Promise<MineQuery[]> {
  emit({ type: "phase", name: "read labelled data" });
  const data = await readLabelledData(source, "auto", OF_COMMAND);
  data.findings.throwIfFatal(source);
  warnOfChanges(data, emit);
  if (data.queries.every(({ split }) => split === undefined))
    emit({
      type: "warning",
      message:
        "no query has a split: a recipe will take mined passages for judged candidates of dev and test too; split first with `rerank-tune data split`",
    });
  const relevant = relevantByWords(data);
  return data.queries.map((query) => mineQuery(data, query, relevant.get(normalisedKey(query.text)) ?? new Set()));
}

/** Negatives are of use where there is something relevant to learn from, and must not reach an evaluation split. */
export function wantsNegatives(query: MineQuery): boolean {
  return query.split !== "dev" && query.split !== "test" && positivesOf(query).length > 0;
}

export function positivesOf(query: MineQuery): JudgedPassage[] {
  return query.judged.filter(({ label }) => label > 0);
}

function mineQuery(data: LabelledData, query: LabelledQuery, relevant: ReadonlySet<number>): MineQuery {
  const others = [...relevant].filter((passage) => !query.judgements.has(passage));
  return {
    id: query.id,
    text: query.text,
    judged: [...query.judgements].map(([passage, judgement]) => judgedPassage(data, passage, judgement)),
    alsoRelevant: others.map((passage) => data.passageTexts[passage] as string),
    split: query.split,
    details: queryDetails(query),
  };
}

/**
 * Ids are always written, also those that were made: score files name them. `label` stands first on purpose:
 * dataset/evaluation-data.ts takes passages that begin with `id` for candidates in the order of a first stage.
 */
function judgedPassage(data: LabelledData, passage: number, judgement: Judgement): JudgedPassage {
  const { label } = judgement;
  const id = data.passageIds[passage] as string;
  const row = { label, id, ...data.partsOf(passage), ...judgementDetails(judgement) };
  return { id, text: data.passageTexts[passage] as string, label, row };
}

function relevantByWords(data: LabelledData): Map<string, Set<number>> {
  const byWords = new Map<string, Set<number>>();
  for (const query of data.queries) {
    const key = normalisedKey(query.text);
    const passages = byWords.get(key) ?? new Set<number>();
    for (const [passage, { label }] of query.judgements) if (label > 0) passages.add(passage);
    byWords.set(key, passages);
  }
  return byWords;
}

/** The readers settle what cannot stand in one group; nothing of that may go unsaid. */
function warnOfChanges({ findings }: LabelledData, emit: MineContext["emit"]): void {
  const { duplicates, conflicts, empty } = findings;
  const told = [
    [conflicts.total, "judged pairs are judged twice with different labels; the higher label is kept"],
    [duplicates.total, "judged pairs stand twice; one is kept"],
    [empty.total, "rows have an empty text; they are left out"],
  ] as const;
  for (const [count, what] of told)
    if (count > 0)
      emit({ type: "warning", message: `${count} ${what}, as prepare does (\`data check\` lists the lines)` });
}
