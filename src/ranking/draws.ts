// Named streams of random numbers: adding a draw in one place never changes another. The generator is random.ts.
import { hashText } from "../artifacts/hash.js";
import { seededIntegers } from "./random.js";

/** Draws whole numbers from 0 to `below` - 1. */
export type Draw = (below: number) => number;

/** A stream of its own for each purpose under one recipe seed. */
export function drawsFor(seed: number, purpose: string): Draw {
  return seededIntegers(Number.parseInt(hashText(`${seed}:${purpose}`).slice(0, 12), 16));
}

/** A shuffled copy (Fisher and Yates). */
export function shuffled<Item>(items: readonly Item[], draw: Draw): Item[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = draw(last + 1);
    [copy[last], copy[other]] = [copy[other] as Item, copy[last] as Item];
  }
  return copy;
}

/** A seeded shuffle for each purpose. */
export function shufflesFor(seed: number): (purpose: string) => <Item>(items: readonly Item[]) => Item[] {
  return (purpose) => (items) => shuffled(items, drawsFor(seed, purpose));
}
