// Copies a safetensors file with fewer rows in some of its tensors, a few megabytes at a time: the table of a large model is a gigabyte.
import { type FileHandle, open } from "node:fs/promises";
import { readerOf } from "../model-folder/read-at.js";
import { readSafetensorsLayout, type StoredTensor } from "../model-folder/safetensors-layout.js";

/** Bytes moved at once. */
const PIECE = 1 << 22;

export interface TrimmedWeights {
  /** Tensors that lost rows. */
  tables: string[];
  /** Of the whole file. */
  bytes: number;
  /** Without the header. */
  tensorBytes: number;
  parameters: number;
}

export interface WhatToTrim {
  /** Rows that stay, ascending. */
  kept: readonly number[];
  /** Which tensors lose rows, by name and rows. */
  isTable(name: string, rows: number): boolean;
  /** Called every few megabytes; may throw. */
  beat(): void;
}

/** @throws Error when a table has fewer rows than `kept` names. */
export async function trimWeights(
  source: string,
  target: string,
  { kept, isTable, beat }: WhatToTrim,
): Promise<TrimmedWeights> {
  const input = await open(source, "r");
  const output = await open(target, "wx");
  try {
    const { size } = await input.stat();
    const { tensors, metadata, start } = await readSafetensorsLayout(size, readerOf(input));
    const tables = [...tensors].flatMap(([name, { shape }]) => (isTable(name, shape[0] ?? 0) ? [name] : []));
    const plan = planOf(tensors, new Set(tables), kept);
    const writer = new Writer(output, beat);
    await writer.write(headerBytes(plan, metadata));
    for (const { name } of plan)
      await copyTensor(
        input,
        start,
        tensors.get(name) as StoredTensor,
        tables.includes(name) ? kept : undefined,
        writer,
      );
    await output.sync();
    return { tables, bytes: writer.position, ...totalsOf(plan) };
  } finally {
    await input.close();
    await output.close();
  }
}

type Planned = { name: string; tensor: StoredTensor };

/** New shapes and places, in the order of the old places. */
function planOf(
  tensors: ReadonlyMap<string, StoredTensor>,
  tables: ReadonlySet<string>,
  kept: readonly number[],
): Planned[] {
  const order = [...tensors].sort(([, left], [, right]) => left.data_offsets[0] - right.data_offsets[0]);
  let end = 0;
  return order.map(([name, tensor]) => {
    const [from, to] = tensor.data_offsets;
    const begin = end;
    if (!tables.has(name)) {
      end += to - from;
      return { name, tensor: { ...tensor, data_offsets: [begin, end] } };
    }
    const [rows = 0, ...columns] = tensor.shape;
    const last = kept.at(-1) ?? -1;
    if (last >= rows) throw new Error(`${name} has ${rows} rows, and the tokenizer has a piece number ${last}`);
    end += ((to - from) / rows) * kept.length;
    return { name, tensor: { ...tensor, shape: [kept.length, ...columns], data_offsets: [begin, end] } };
  });
}

function totalsOf(plan: readonly Planned[]): Pick<TrimmedWeights, "tensorBytes" | "parameters"> {
  const elements = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1);
  return {
    tensorBytes: plan.at(-1)?.tensor.data_offsets[1] ?? 0,
    parameters: plan.reduce((sum, { tensor }) => sum + elements(tensor.shape), 0),
  };
}

/** Padded with spaces so that the tensors begin at a multiple of 8, as the library writes it. */
function headerBytes(plan: readonly Planned[], metadata: unknown): Buffer {
  const header = Object.fromEntries(plan.map(({ name, tensor }) => [name, tensor]));
  const text = Buffer.from(JSON.stringify(metadata === undefined ? header : { __metadata__: metadata, ...header }));
  const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, " ")]);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([prefix, padded]);
}

async function copyTensor(
  input: FileHandle,
  start: number,
  { shape, data_offsets: [from, to] }: StoredTensor,
  kept: readonly number[] | undefined,
  writer: Writer,
): Promise<void> {
  if (kept === undefined) return await copyBytes(input, start + from, to - from, writer);
  const rowBytes = (to - from) / (shape[0] ?? 1);
  for (const [first, last] of runsOf(kept))
    await copyBytes(input, start + from + first * rowBytes, (last - first + 1) * rowBytes, writer);
}

/** Neighbouring rows are read together. */
function* runsOf(rows: readonly number[]): Generator<[first: number, last: number]> {
  let first = rows[0] ?? 0;
  for (const [index, row] of rows.entries()) {
    const next = rows[index + 1];
    if (next === row + 1) continue;
    yield [first, row];
    first = next ?? 0;
  }
}

async function copyBytes(input: FileHandle, offset: number, length: number, writer: Writer): Promise<void> {
  for (let done = 0; done < length; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, length - done));
    const { bytesRead } = await input.read(piece, 0, piece.length, offset + done);
    if (bytesRead === 0) throw new Error("the weights end before their header says");
    await writer.write(piece.subarray(0, bytesRead));
    done += bytesRead;
  }
}

/** Writes one piece behind another. */
class Writer {
  position = 0;

  constructor(
    private readonly output: FileHandle,
    private readonly beat: () => void,
  ) {}

  async write(bytes: Buffer): Promise<void> {
    this.beat();
    await this.output.writev([bytes], this.position);
    this.position += bytes.length;
  }
}
