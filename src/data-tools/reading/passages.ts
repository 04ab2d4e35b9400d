// The passages of streamed data: each distinct text once, in the scratch file, found by text or by id.
import { Integers } from "../../dataset/integers.js";
import { TextIndex } from "../../dataset/text-index.js";
import type { TextStore } from "./text-store.js";

export interface StoredPassage {
  id: string;
  /** Whole passage, the title in front. */
  text: string;
  title?: string;
}

export class StreamedPassages {
  private readonly records = new Integers();
  private readonly ids = new TextIndex();
  private readonly byText = new TextIndex();
  /** Passage of each id and of each text: a corpus may hold one text under two ids. */
  private readonly passageOfId = new Integers();
  private readonly passageOfText = new Integers();
  /** 1 for passages that `isNew` was asked about. */
  private readonly seen = new Integers();
  /** Passages of a corpus with neither title nor text. */
  readonly empty = new Set<number>();

  constructor(private readonly store: TextStore) {}

  get count(): number {
    return this.records.length;
  }

  withId(id: string): number | undefined {
    const known = this.ids.find(id);
    return known === undefined ? undefined : this.passageOfId.at(known);
  }

  /** @returns undefined when the id is taken. */
  add(id: string, text: string, title?: string): number | undefined {
    if (this.ids.find(id) !== undefined) return undefined;
    const number = this.records.length;
    this.ids.add(id);
    this.passageOfId.push(number);
    this.records.push(this.store.add(JSON.stringify({ id, text, ...(title === undefined ? {} : { title }) })));
    this.seen.push(0);
    if (text === "") this.empty.add(number);
    return number;
  }

  /** The passage with this text, added when new. An id that means another text gets a number behind it. */
  withText(text: string, wantedId?: string, title?: string): number {
    const known = this.byText.add(text);
    if (known < this.passageOfText.length) return this.passageOfText.at(known);
    const next = this.records.length + 1;
    let id = wantedId ?? `p${next}`;
    while (this.ids.find(id) !== undefined) id = `${id}_${next}`;
    const number = this.add(id, text, title) as number;
    this.passageOfText.push(number);
    return number;
  }

  at(number: number): StoredPassage {
    return JSON.parse(this.store.get(this.records.at(number))) as StoredPassage;
  }

  /** True the first time it is asked about a passage. */
  isNew(number: number): boolean {
    const isNew = this.seen.at(number) === 0;
    this.seen.set(number, 1);
    return isNew;
  }
}
