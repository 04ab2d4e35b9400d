// All pieces of a vocabulary as one trie over UTF-16 code units, in flat arrays: a step is one probe of a hash table.

const ROOT = 0;
/** Numbers of one slot: parent, code unit, child. */
const SLOT = 3;

export class PieceTrie {
  /** Id + 1 of the piece that ends at a node; 0 where none does. */
  private readonly ids: Int32Array;
  private slots: Int32Array;
  private mask: number;
  private nodes = 1;
  /** Children of the root by code unit, which every search asks first. */
  private readonly first = new Int32Array(0x10000);

  /** @param pieces with their ids; of equal ones the last id counts, as in Rust. */
  constructor(pieces: readonly (readonly [piece: string, id: number])[]) {
    let units = 1;
    for (const [piece] of pieces) units += piece.length;
    this.ids = new Int32Array(units);
    const slots = 2 ** Math.ceil(Math.log2(2 * units));
    this.mask = slots - 1;
    this.slots = new Int32Array(SLOT * slots);
    for (const [piece, id] of pieces) this.insert(piece, id);
  }

  /** The node below `node` for a code unit; 0 where no piece goes on like this. The root is 0. */
  child(node: number, unit: number): number {
    if (node === ROOT) return this.first[unit] as number;
    const { slots, mask } = this;
    for (let slot = hash(node, unit) & mask; ; slot = (slot + 1) & mask) {
      const at = slot * SLOT;
      const child = slots[at + 2] as number;
      if (child === 0 || (slots[at] === node && slots[at + 1] === unit)) return child;
    }
  }

  /** Id of the piece that ends at a node, -1 where none does. */
  idAt(node: number): number {
    return (this.ids[node] as number) - 1;
  }

  /** Id of a piece, -1 when it is none. */
  idOf(piece: string): number {
    return this.idAt(this.nodeOf(piece));
  }

  /** The node of a text that pieces begin with; the root when none does. */
  nodeOf(text: string): number {
    let node = ROOT;
    for (let index = 0; index < text.length; index++) {
      node = this.child(node, text.charCodeAt(index));
      if (node === ROOT) return ROOT;
    }
    return node;
  }

  private insert(piece: string, id: number): void {
    let node = ROOT;
    for (let index = 0; index < piece.length; index++) {
      const unit = piece.charCodeAt(index);
      node = this.child(node, unit) || this.add(node, unit);
    }
    if (node !== ROOT) this.ids[node] = id + 1;
  }

  private add(node: number, unit: number): number {
    const child = this.nodes++;
    if (node === ROOT) {
      this.first[unit] = child;
      return child;
    }
    let slot = hash(node, unit) & this.mask;
    while (this.slots[slot * SLOT + 2] !== 0) slot = (slot + 1) & this.mask;
    this.slots.set([node, unit, child], slot * SLOT);
    return child;
  }
}

/** Fibonacci hashing of both numbers. */
function hash(node: number, unit: number): number {
  return (Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b)) >>> 7;
}
