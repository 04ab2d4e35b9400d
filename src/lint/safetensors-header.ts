// The header of a safetensors file: names, types and shapes of its tensors, and whether the file is as long as it says.
import type { ReadAt } from "./byte-reader.js";

export interface TensorFacts {
  /** safetensors' own word, such as `F32` or `BF16`. */
  dtype: string;
  shape: readonly number[];
}

/** The format allows no longer one (safetensors README, "Format"). */
const LONGEST_HEADER = 100_000_000;

/**
 * @param size bytes of the file.
 * @throws Error with the rest of a sentence that begins with the file's name.
 */
export async function readSafetensorsHeader(size: number, readAt: ReadAt): Promise<Map<string, TensorFacts>> {
  if (size < 8) throw new Error(`has ${size} bytes, fewer than a header`);
  const length = Number(Buffer.from(await readAt(0, 8)).readBigUInt64LE());
  if (length < 2 || length > LONGEST_HEADER) throw new Error("does not begin with the length of a header");
  if (8 + length > size) throw new Error(`is cut off inside its header: ${size} bytes`);
  const entries = parseHeader(Buffer.from(await readAt(8, length)).toString("utf8"));
  const tensors = new Map<string, TensorFacts>();
  let end = 0;
  for (const [name, { dtype, shape, data_offsets: offsets }] of entries) {
    if (typeof dtype !== "string" || !isNumbers(shape) || !isNumbers(offsets))
      throw new Error(`has a header in which ${JSON.stringify(name)} is no tensor`);
    end = Math.max(end, offsets[1] ?? 0);
    tensors.set(name, { dtype, shape });
  }
  if (8 + length + end !== size)
    throw new Error(`has ${size} bytes where its header says ${8 + length + end}: it is cut off or damaged`);
  return tensors;
}

type Entry = [string, Record<string, unknown>];

function parseHeader(text: string): Entry[] {
  try {
    const header = JSON.parse(text) as Record<string, Record<string, unknown>>;
    return Object.entries(header).filter(([name]) => name !== "__metadata__");
  } catch {
    throw new Error("has a header that is no JSON");
  }
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}
