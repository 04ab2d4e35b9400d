// A growing list of 32-bit whole numbers: 4 bytes each, where a plain array of a million objects would take a hundred times as much.

export class Integers {
  length = 0;
  private values = new Int32Array(1 << 10);

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Int32Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length] = value;
    this.length += 1;
  }

  /** 0 beyond the end, as nothing was ever put there. */
  at(index: number): number {
    return this.values[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.values[index] = value;
  }

  /** A copy of exactly the numbers pushed. */
  toArray(): Int32Array {
    return this.values.slice(0, this.length);
  }
}
