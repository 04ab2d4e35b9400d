// Numbers texts in the order they first come, so that millions of texts can be told apart without being held in memory.
import { createHash } from "node:crypto";

/** Slots filled before the table doubles; open addressing slows down beyond three quarters. */
const FULLEST = 0.7;
const EMPTY = -1;

/**
 * Knows texts by 64 bits of their sha256: 12 bytes a slot. Two of ten million texts share a fingerprint with a chance of
 * 3 in a million.
 */
export class TextIndex {
  /** Texts known; also the number that the next new text gets. */
  size = 0;
  private fingerprints = new Uint32Array(2 << 10);
  private numbers = new Int32Array(1 << 10).fill(EMPTY);

  /** @returns the number of the text, 0-based; a new one gets the old `size`. */
  add(text: string): number {
    if (this.size >= FULLEST * this.numbers.length) this.grow();
    const [high, low] = fingerprint(text);
    const slot = this.slotOf(high, low);
    const known = this.numbers[slot] as number;
    if (known !== EMPTY) return known;
    this.fill(slot, high, low, this.size);
    this.size += 1;
    return this.size - 1;
  }

  /** @returns undefined for a text that was never added. */
  find(text: string): number | undefined {
    const number = this.numbers[this.slotOf(...fingerprint(text))] as number;
    return number === EMPTY ? undefined : number;
  }

  /** The slot that holds the fingerprint, or the free one where it belongs (linear probing). */
  private slotOf(high: number, low: number): number {
    const mask = this.numbers.length - 1;
    let slot = low & mask;
    while (this.numbers[slot] !== EMPTY) {
      if (this.fingerprints[2 * slot] === high && this.fingerprints[2 * slot + 1] === low) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private fill(slot: number, high: number, low: number, number: number): void {
    this.fingerprints[2 * slot] = high;
    this.fingerprints[2 * slot + 1] = low;
    this.numbers[slot] = number;
  }

  private grow(): void {
    const { fingerprints, numbers } = this;
    this.fingerprints = new Uint32Array(2 * fingerprints.length);
    this.numbers = new Int32Array(2 * numbers.length).fill(EMPTY);
    numbers.forEach((number, old) => {
      if (number === EMPTY) return;
      const [high, low] = [fingerprints[2 * old] as number, fingerprints[2 * old + 1] as number];
      this.fill(this.slotOf(high, low), high, low, number);
    });
  }
}

function fingerprint(text: string): [number, number] {
  const digest = createHash("sha256").update(text).digest();
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)];
}
