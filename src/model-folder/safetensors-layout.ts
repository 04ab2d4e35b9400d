// The header of a safetensors file: its tensors with type, shape and place, and whether the file is as long as it says.
import type { ReadAt } from "./read-at.js";

export interface StoredTensor {
  /** safetensors' own word, such as `F32` or `BF16`. */
  dtype: string;
  shape: number[];
  /** Bytes from the start of the data. */
  data_offsets: [begin: number, end: number];
}

export interface SafetensorsLayout {
  /** By name, in the order of the header. */
  tensors: Map<string, StoredTensor>;
  /** `__metadata__`, as it stands there. */
  metadata: unknown;
  /** Where the data starts in the file. */
  start: number;
}

/** The format allows no longer one (safetensors README, "Format"). */
const LONGEST_HEADER = 100_000_000;

/**
 * @param size bytes of the file.
 * @throws Error with the rest of a sentence that begins with the file's name.
 */
export async function readSafetensorsLayout(size: number, readAt: ReadAt): Promise<SafetensorsLayout> {
  if (size < 8) throw new Error(`has ${size} bytes, fewer than a header`);
  const length = Number(Buffer.from(await readAt(0, 8)).readBigUInt64LE());
  if (length < 2 || length > LONGEST_HEADER) throw new Error("does not begin with the length of a header");
  const start = 8 + length;
  if (start > size) throw new Error(`is cut off inside its header: ${size} bytes`);
  const { __metadata__: metadata, ...entries } = parseHeader(Buffer.from(await readAt(8, length)).toString("utf8"));
  const tensors = new Map<string, StoredTensor>();
  let end = 0;
  let total = 0;
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
    if (typeof dtype !== "string" || !isNumbers(shape) || !isNumbers(offsets))
      throw new Error(`has a header in which ${JSON.stringify(name)} is no tensor`);
    const [from = 0, to = 0] = offsets;
    const bytes = bytesOf(dtype, shape);
    if (from < 0 || (bytes !== undefined && to - from !== bytes))
      throw new Error(`is damaged: its header gives ${JSON.stringify(name)} ${to - from} bytes, its shape ${bytes}`);
    end = Math.max(end, to);
    total += to - from;
    tensors.set(name, { dtype, shape, data_offsets: [from, to] });
  }
  if (start + end !== size)
    throw new Error(`has ${size} bytes where its header says ${start + end}: it is cut off or damaged`);
  // The format has no gaps, so that equal ends and sums mean that no two tensors share bytes.
  if (total !== end) throw new Error(`is damaged: its tensors take ${total} bytes of ${end}`);
  return { tensors, metadata, start };
}

/** Bits of an element by safetensors' word for its type (safetensors tensor.rs, Dtype); other words are of newer releases. */
const BITS: Record<string, number> = {
  BOOL: 8,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  I64: 64,
  U64: 64,
  F64: 64,
};

function bytesOf(dtype: string, shape: readonly number[]): number | undefined {
  const bits = BITS[dtype];
  return bits === undefined ? undefined : shape.reduce((product, size) => product * size, bits / 8);
}

function parseHeader(text: string): Record<string, unknown> {
  try {
    return Object.fromEntries(Object.entries(JSON.parse(text)));
  } catch {
    throw new Error("has a header that is no JSON");
  }
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => typeof item === "number");
}
