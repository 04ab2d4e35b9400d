// The best passages of many queries while a corpus streams by: one bounded heap a query in two flat arrays. Knows no scoring rule.

/** Passages best first with their scores. */
export interface RankedList {
  passages: number[];
  scores: number[];
}

/** Holds 12 bytes for each of `queries` x `depth` places. */
export class TopRanked {
  private readonly scores: Float64Array;
  private readonly passages: Int32Array;
  private readonly sizes: Int32Array;

  constructor(
    queries: number,
    private readonly depth: number,
  ) {
    this.scores = new Float64Array(queries * depth);
    this.passages = new Int32Array(queries * depth);
    this.sizes = new Int32Array(queries);
  }

  /** Passages must come in ascending order: of equal scores the earlier one stays, as in BM25 over passages in memory. */
  offer(query: number, passage: number, score: number): void {
    const base = query * this.depth;
    const size = this.sizes[query] as number;
    if (size < this.depth) {
      this.sizes[query] = size + 1;
      this.up(base, size, passage, score);
    } else if (score > (this.scores[base] as number)) this.down(base, passage, score);
  }

  ranked(query: number): RankedList {
    const base = query * this.depth;
    const places = Array.from({ length: this.sizes[query] as number }, (_, at) => base + at);
    places.sort((left, right) => (this.worse(left, right) ? 1 : -1));
    return {
      passages: places.map((place) => this.passages[place] as number),
      scores: places.map((place) => this.scores[place] as number),
    };
  }

  /** The worst is at the root: lower score, or the same and a later passage. */
  private worse(left: number, right: number): boolean {
    const a = this.scores[left] as number;
    const b = this.scores[right] as number;
    return a === b ? (this.passages[left] as number) > (this.passages[right] as number) : a < b;
  }

  private put(place: number, passage: number, score: number): void {
    this.scores[place] = score;
    this.passages[place] = passage;
  }

  private swap(left: number, right: number): void {
    const passage = this.passages[left] as number;
    const score = this.scores[left] as number;
    this.put(left, this.passages[right] as number, this.scores[right] as number);
    this.put(right, passage, score);
  }

  private up(base: number, from: number, passage: number, score: number): void {
    let at = from;
    this.put(base + at, passage, score);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.worse(base + at, base + parent)) return;
      this.swap(base + at, base + parent);
      at = parent;
    }
  }

  private down(base: number, passage: number, score: number): void {
    this.put(base, passage, score);
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let child = left;
      if (right < this.depth && this.worse(base + right, base + left)) child = right;
      if (child >= this.depth || !this.worse(base + child, base + at)) return;
      this.swap(base + child, base + at);
      at = child;
    }
  }
}
