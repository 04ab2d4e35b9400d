// Labelled data in memory, whatever file it came from: passages, queries, and one judgement a pair. Readers fill it; nothing here reads files.
import { Findings, type Place } from "./findings.js";
import type { Split } from "./groups.js";

export interface Judgement extends Place {
  /** Relevance, 0 or more; 0 is not relevant. */
  label: number;
  teacher_score?: number;
}

export interface LabelledQuery extends Place {
  id: string;
  text: string;
  /** Keys of things that must not stand on both sides of a split, such as a source document. */
  groups: string[];
  lang?: string;
  /** The side given by the data itself. */
  split?: Split;
  /** By index of the passage. */
  judgements: Map<number, Judgement>;
}

export type DataFormat = "pairs" | "groups" | "flag_embedding" | "beir";

/** Passages and queries with their judgements; conflicts and duplicates are settled on the way in. */
export class LabelledData {
  readonly passageIds: string[] = [];
  readonly passageTexts: string[] = [];
  readonly queries: LabelledQuery[] = [];
  readonly findings = new Findings();
  /** Ids of all queries, judged or not. */
  readonly queryIds = new Set<string>();
  private readonly passagesById = new Map<string, number>();
  private readonly passagesByText = new Map<string, number>();
  private readonly queriesByText = new Map<string, LabelledQuery>();

  constructor(readonly format: DataFormat) {}

  /** Index of the passage with this id, as a corpus or run names it. */
  passageWithId(id: string): number | undefined {
    return this.passagesById.get(id);
  }

  /** Adds a passage of a corpus under its own id, even when another has the same text. @returns undefined when the id is taken. */
  addPassage(id: string, text: string): number | undefined {
    if (this.passagesById.has(id)) return undefined;
    const index = this.passageTexts.length;
    this.passageIds.push(id);
    this.passageTexts.push(text);
    this.passagesById.set(id, index);
    return index;
  }

  /** The passage with this text, added when new; rows without ids (or with ids that mean something else elsewhere) are told apart by text alone. */
  passageWithText(text: string, wantedId?: string): number {
    const known = this.passagesByText.get(text);
    if (known !== undefined) return known;
    let id = wantedId ?? `p${this.passageTexts.length + 1}`;
    while (this.passagesById.has(id)) id = `${id}_${this.passageTexts.length + 1}`;
    const index = this.addPassage(id, text) as number;
    this.passagesByText.set(text, index);
    return index;
  }

  /** The query with this text, added when new. */
  queryWithText(
    text: string,
    place: Place,
    more: { id?: string; groups?: string[]; lang?: string } = {},
  ): LabelledQuery {
    let query = this.queriesByText.get(text);
    if (query === undefined) {
      let id = more.id ?? `q${this.queries.length + 1}`;
      while (this.queryIds.has(id)) id = `${id}_${this.queries.length + 1}`;
      this.queryIds.add(id);
      query = {
        id,
        text,
        groups: [],
        judgements: new Map(),
        ...place,
        ...(more.lang === undefined ? {} : { lang: more.lang }),
      };
      this.queriesByText.set(text, query);
      this.queries.push(query);
    }
    for (const group of more.groups ?? []) if (!query.groups.includes(group)) query.groups.push(group);
    return query;
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
