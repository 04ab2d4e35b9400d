// Labelled data too large for memory: the readers fill it like LabelledData, but texts go to a scratch file and pairs become a few numbers.
import type { Findings, Place } from "../../dataset/findings.js";
import type { Split } from "../../dataset/groups.js";
import { Integers } from "../../dataset/integers.js";
import {
  type DataFormat,
  type Judgement,
  LabelledData,
  type LabelledQuery,
  type QueryDetails,
} from "../../dataset/labelled.js";
import { TextIndex } from "../../dataset/text-index.js";
import { StreamedPassages } from "./passages.js";
import type { JudgedRow, MetText, RowGroup, StoredQuery } from "./rows.js";
import { TextStore } from "./text-store.js";

interface NumberedQuery extends LabelledQuery {
  number?: number;
}

const NO_JUDGEMENTS: LabelledQuery["judgements"] = new Map();
const NONE = -1;

/** A million pairs of 125,000 queries took 250 MB (one run). Groups can be read once the readers are done; `close` removes the scratch file. */
export class StreamedData extends LabelledData {
  pairs = 0;
  /** Whether any row or file gave a split. */
  splitSeen = false;
  private readonly store: TextStore;
  private readonly stored: StreamedPassages;
  private readonly byText = new TextIndex();
  private readonly ids = new TextIndex();
  private readonly records = new Integers();
  private readonly firstPair = new Integers();
  private readonly lastPair = new Integers();
  private readonly nextPair = new Integers();
  private readonly pairPassage = new Integers();
  private readonly pairRecord: number[] = [];
  /** The query that the last row was about; rows of a query mostly follow one another. */
  private latest: { number: number; query: StoredQuery } | undefined;

  /**
   * @param scratch existing folder for what does not fit in memory.
   * @param keepsSplits false where the data's own split does not count: then the same words on two sides are one query.
   * @param met called for every distinct text; those of passages that nothing judges wait for `meetUnjudged`.
   */
  constructor(
    format: DataFormat,
    findings: Findings,
    scratch: string,
    private readonly met: (text: MetText) => void,
    private readonly keepsSplits = true,
  ) {
    super(format, findings);
    this.store = new TextStore(scratch);
    this.stored = new StreamedPassages(this.store);
  }

  get queryCount(): number {
    return this.records.length;
  }

  override passageWithId(id: string): number | undefined {
    return this.stored.withId(id);
  }

  override addPassage(id: string, text: string, title?: string): number | undefined {
    return this.stored.add(id, text, title);
  }

  override passageWithText(text: string, wantedId?: string, title?: string): number {
    return this.stored.withText(text, wantedId, title);
  }

  override queryWithText(text: string, place: Place, details: QueryDetails = {}): LabelledQuery {
    // The same words on two sides are two queries: that they are is for the caller to see.
    const split = this.splitOf(details.split ?? this.side);
    const number = this.byText.add(`${split ?? ""}\n${text}`);
    if (number === this.records.length) this.begin({ ...place, id: details.id ?? "", text, groups: [] }, details.id);
    this.addDetailsTo(number, { ...details, split });
    const { id, groups } = this.queryAt(number);
    const query: NumberedQuery = { ...place, id, text, groups, judgements: NO_JUDGEMENTS, number };
    return query;
  }

  override judge(query: NumberedQuery, passage: number, judgement: Judgement): void {
    if (this.stored.empty.has(passage)) return;
    if (query.number === undefined) this.adopt(query);
    // Readers of folders ask whether a query is judged at all.
    if (query.judgements !== NO_JUDGEMENTS) query.judgements.set(passage, judgement);
    const number = query.number as number;
    const pair = this.pairs;
    this.pairs += 1;
    this.pairPassage.push(passage);
    this.pairRecord.push(this.store.add(JSON.stringify(judgement)));
    this.nextPair.push(NONE);
    if (this.firstPair.at(number) === NONE) this.firstPair.set(number, pair);
    else this.nextPair.set(this.lastPair.at(number), pair);
    this.lastPair.set(number, pair);
    const { file, line } = judgement;
    if (this.stored.isNew(passage)) this.met({ place: { file, line }, side: "passage", ...this.stored.at(passage) });
  }

  /** Shows the passages of a corpus that no query judges; they may still be candidates and negatives. */
  meetUnjudged(): void {
    for (let passage = 0; passage < this.stored.count; passage++)
      if (this.stored.isNew(passage)) this.met({ place: {}, side: "passage", ...this.stored.at(passage) });
  }

  /** The query with this number. */
  queryAt(number: number): StoredQuery {
    if (this.latest?.number !== number)
      this.latest = { number, query: JSON.parse(this.store.get(this.records.at(number))) as StoredQuery };
    return this.latest.query;
  }

  /** Number of the query with this id. */
  queryWithId(id: string): number | undefined {
    return this.ids.find(id);
  }

  /** All groups in the order in which their queries first come. */
  *groups(): Generator<RowGroup> {
    for (let number = 0; number < this.queryCount; number++) {
      const rows: JudgedRow[] = [];
      for (let pair = this.firstPair.at(number); pair !== NONE; pair = this.nextPair.at(pair))
        rows.push(this.rowAt(pair));
      yield { number, query: this.queryAt(number), rows };
    }
  }

  close(): void {
    this.store.close();
  }

  private rowAt(pair: number): JudgedRow {
    const judgement = JSON.parse(this.store.get(this.pairRecord[pair] as number)) as Judgement;
    const passage = this.pairPassage.at(pair);
    return { ...judgement, passage, ...this.stored.at(passage) };
  }

  private begin(query: StoredQuery, wantedId: string | undefined): void {
    const number = this.records.length;
    let id = wantedId ?? `q${number + 1}`;
    while (this.ids.find(id) !== undefined) id = `${id}_${number + 1}`;
    this.ids.add(id);
    this.firstPair.push(NONE);
    this.lastPair.push(NONE);
    this.keep(number, { ...query, id });
    const { file, line, text } = query;
    this.met({ place: { file, line }, side: "query", id, text });
  }

  /** Takes in a query that a reader of folders made itself. */
  private adopt(query: NumberedQuery): void {
    const { file, line, id, text, groups, lang, source, split } = query;
    query.number = this.records.length;
    this.begin({ file, line, id, text, groups }, id);
    this.addDetailsTo(query.number, { lang, source, split: this.splitOf(split) });
  }

  /** Later rows may add group keys, and say the rest for the first time. */
  private addDetailsTo(number: number, { groups = [], lang, source, split }: QueryDetails): void {
    const query = this.queryAt(number);
    const added = groups.filter((group) => !query.groups.includes(group));
    const said = {
      ...(query.lang === undefined && lang !== undefined ? { lang } : {}),
      ...(query.source === undefined && source !== undefined ? { source } : {}),
      ...(query.split === undefined && split !== undefined ? { split } : {}),
    };
    if (added.length === 0 && Object.keys(said).length === 0) return;
    this.keep(number, { ...query, groups: [...query.groups, ...added], ...said });
  }

  private splitOf(given: Split | undefined): Split | undefined {
    this.splitSeen ||= given !== undefined;
    return this.keepsSplits ? given : undefined;
  }

  private keep(number: number, query: StoredQuery): void {
    const record = this.store.add(JSON.stringify(query));
    if (number === this.records.length) this.records.push(record);
    else this.records.set(number, record);
    this.latest = { number, query };
  }
}
