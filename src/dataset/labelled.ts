// Labelled data in memory, whatever file it came from: passages, queries, and one judgement a pair. Readers fill it; nothing here reads files.
import { Findings, type Place, ProblemList } from "./findings.js";
import type { DataFormat } from "./forms.js";
import type { Split } from "./groups.js";

export type { DataFormat } from "./forms.js";

export interface Judgement extends Place {
  /** Relevance, 0 or more; 0 is not relevant. */
  label: number;
  /** Score of a larger model, on its own scale. */
  teacher_score?: number;
  /** Where the passage came from, when the data says so (`run`, `bm25` ...). */
  source?: string;
  /** 1-based place in the order of that source. */
  rank?: number;
}

export interface LabelledQuery extends Place {
  id: string;
  /** Whether the id stands in the data; else it was made here. */
  hasOwnId?: boolean;
  text: string;
  /** Keys of things that must not stand on both sides of a split, such as a source document. */
  groups: string[];
  lang?: string;
  /** Where the query comes from (a search log, a department, `synthetic`), when the data says so. */
  source?: string;
  /** The side given by the data itself. */
  split?: Split;
  /** By index of the passage. */
  judgements: Map<number, Judgement>;
}

/** What a row may say of its query beside the text. */
export interface QueryDetails {
  id?: string | undefined;
  groups?: string[] | undefined;
  lang?: string | undefined;
  source?: string | undefined;
  split?: Split | undefined;
}

/** Passages and queries with their judgements; conflicts and duplicates are settled on the way in. */
export class LabelledData {
  readonly passageIds: string[] = [];
  /** Whole passages as a model sees them: title and text, joined by a space. */
  readonly passageTexts: string[] = [];
  readonly queries: LabelledQuery[] = [];
  /** Values that were read otherwise than they stand in the file, such as a negative label that counts as 0. */
  readonly adjusted = new ProblemList();
  /** Names of fields that no part of this form uses, with the number of rows that have them. */
  readonly unusedFields = new Map<string, number>();
  /** Passages whose id was taken by another text, or whose text had another id already. */
  renamedPassages = 0;
  /** Ids of all queries, judged or not. */
  readonly queryIds = new Set<string>();
  private readonly titles = new Map<number, string>();
  private readonly madeIds = new Set<number>();
  private readonly passagesById = new Map<string, number>();
  private readonly passagesByText = new Map<string, number>();
  private readonly queriesByText = new Map<string, LabelledQuery>();

  constructor(
    readonly format: DataFormat,
    readonly findings = new Findings(),
  ) {}

  /** Index of the passage with this id, as a corpus or run names it. */
  passageWithId(id: string): number | undefined {
    return this.passagesById.get(id);
  }

  /** The id of a passage, when it stands in the data. */
  ownPassageId(index: number): string | undefined {
    return this.madeIds.has(index) ? undefined : this.passageIds[index];
  }

  /** A passage in its two parts; most have no title. */
  partsOf(index: number): { title?: string; text: string } {
    const whole = this.passageTexts[index] ?? "";
    const title = this.titles.get(index);
    return title === undefined ? { text: whole } : { title, text: whole.slice(title.length + 1) };
  }

  /**
   * Adds a passage of a corpus under its own id, even when another has the same text.
   * @param text whole passage; `${title} ...` when a title is given.
   * @returns undefined when the id is taken.
   */
  addPassage(id: string, text: string, title?: string): number | undefined {
    if (this.passagesById.has(id)) return undefined;
    const index = this.passageTexts.length;
    this.passageIds.push(id);
    this.passageTexts.push(text);
    this.passagesById.set(id, index);
    if (title !== undefined) this.titles.set(index, title);
    return index;
  }

  /** The passage with this text, added when new; rows without ids (or with ids that mean something else elsewhere) are told apart by text alone. */
  passageWithText(text: string, wantedId?: string, title?: string): number {
    const known = this.passagesByText.get(text);
    if (known !== undefined) {
      if (wantedId !== undefined && this.passageIds[known] !== wantedId) this.renamedPassages += 1;
      return known;
    }
    let id = wantedId ?? `p${this.passageTexts.length + 1}`;
    while (this.passagesById.has(id)) id = `${id}_${this.passageTexts.length + 1}`;
    const index = this.addPassage(id, text, title) as number;
    this.passagesByText.set(text, index);
    if (wantedId === undefined) this.madeIds.add(index);
    else if (id !== wantedId) this.renamedPassages += 1;
    return index;
  }

  /** The side of the file being read, when the files themselves are the split. */
  side: Split | undefined;

  /** The query with this text, added when new; what a later row says beside the text is added to it. */
  queryWithText(text: string, place: Place, details: QueryDetails = {}): LabelledQuery {
    let query = this.queriesByText.get(text);
    if (query === undefined) {
      let id = details.id ?? `q${this.queries.length + 1}`;
      while (this.queryIds.has(id)) id = `${id}_${this.queries.length + 1}`;
      this.queryIds.add(id);
      const { file, line } = place;
      query = { id, hasOwnId: details.id !== undefined, text, groups: [], judgements: new Map(), file, line };
      this.queriesByText.set(text, query);
      this.queries.push(query);
    }
    this.addDetails(query, place, { ...details, split: details.split ?? this.side });
    return query;
  }

  private addDetails(query: LabelledQuery, place: Place, { id, groups, split, ...said }: QueryDetails): void {
    const { file, line } = place;
    const differs = (name: string, result: string): void =>
      this.adjusted.add({ file, line, path: name, message: `\`${name}\` ${result}` });
    for (const group of groups ?? []) if (!query.groups.includes(group)) query.groups.push(group);
    if (id !== undefined && id !== query.id)
      differs("query_id", `is not that of the same query on line ${query.line}, or is taken by another query`);
    for (const name of ["lang", "source"] as const) {
      const value = said[name];
      if (value === undefined || value === query[name]) continue;
      if (query[name] === undefined) query[name] = value;
      else differs(name, `is not that of the same query on line ${query.line}, which is kept`);
    }
    if (split === undefined || split === query.split) return;
    if (query.split === undefined) query.split = split;
    else
      this.findings.fatal.add({
        file,
        line,
        path: "split",
        message: `puts the query in ${split}, but line ${query.line} puts it in ${query.split}`,
        hint: "keep all rows of a query in one split",
      });
  }

  /** Records one judgement. The same pair again is a duplicate; with another label it is a conflict, and the higher label stays. */
  judge(query: LabelledQuery, passage: number, judgement: Judgement): void {
    const known = query.judgements.get(passage);
    if (known === undefined) {
      query.judgements.set(passage, judgement);
      return;
    }
    const { file, line } = judgement;
    if (known.label === judgement.label) {
      this.findings.duplicates.add({ file, line, message: `the same pair as on line ${known.line}` });
      if (known.teacher_score === undefined && judgement.teacher_score !== undefined)
        known.teacher_score = judgement.teacher_score;
      return;
    }
    const kept = Math.max(known.label, judgement.label);
    this.findings.conflicts.add({
      file,
      line,
      message: `label ${judgement.label}, but ${known.label} on line ${known.line} for the same pair; ${kept} is kept`,
    });
    // A negative is often only assumed (mined, sampled), while somebody asserted a positive: so the higher label is kept.
    if (judgement.label > known.label) query.judgements.set(passage, judgement);
  }
}

/** The `source` by which every tool knows a query that a model made up. */
export const SYNTHETIC = "synthetic";

/** Made-up queries may teach, but measure nothing: they belong in train alone. */
export function isMadeUp(query: { source?: string }, judgements: Iterable<{ source?: string }>): boolean {
  return query.source === SYNTHETIC || [...judgements].some(({ source }) => source === SYNTHETIC);
}
