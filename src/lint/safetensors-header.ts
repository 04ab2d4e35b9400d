// What the rules ask of a safetensors file: names, types and shapes of its tensors.
import type { ReadAt } from "../model-folder/read-at.js";
import { readSafetensorsLayout } from "../model-folder/safetensors-layout.js";

export interface TensorFacts {
  /** safetensors' own word, such as `F32` or `BF16`. */
  dtype: string;
  shape: readonly number[];
}

/** @throws Error as `readSafetensorsLayout`. */
export async function readSafetensorsHeader(size: number, readAt: ReadAt): Promise<Map<string, TensorFacts>> {
  const { tensors } = await readSafetensorsLayout(size, readAt);
  return new Map(Array.from(tensors, ([name, { dtype, shape }]) => [name, { dtype, shape }]));
}
