// Copies a safetensors file with fewer rows in some of its tensors, a few megabytes at a time: the table of a large model is a gigabyte.
import { type FileHandle, open } from "node:fs/promises";

/** Bytes moved at once. */
const PIECE = 1 << 22;

interface StoredTensor {
  dtype: string;
  shape: number[];
  data_offsets: [begin: number, end: number];
}
type Header = Record<string, StoredTensor>;

export interface TrimmedWeights {
  /** Tensors that lost rows. */
  tables: string[];
  bytes: number;
}

/**
 * @param isTable which tensors lose rows, by name and rows.
 * @param kept rows that stay, ascending.
 * @throws Error when a table has fewer rows than `kept` names.
 */
export async function trimWeights(
  source: string,
  target: string,
  kept: readonly number[],
  isTable: (name: string, rows: number) => boolean,
  onBytes: (done: number, total: number) => void = () => undefined,
): Promise<TrimmedWeights> {
  const input = await open(source, "r");
  const output = await open(target, "wx");
  try {
    const { header, metadata, start } = await readHeader(input);
    const names = Object.keys(header);
    const tables = names.filter((name) => isTable(name, header[name]?.shape[0] ?? 0));
    const plan = planOf(header, new Set(tables), kept);
    const total = plan.at(-1)?.tensor.data_offsets[1] ?? 0;
    const writer = new Writer(output, onBytes, total);
    await writer.write(headerBytes(plan, metadata));
    writer.begin();
    for (const { name } of plan)
      await copyTensor(input, start, header[name] as StoredTensor, tables.includes(name) ? kept : undefined, writer);
    await output.sync();
    return { tables, bytes: writer.position };
  } finally {
    await input.close();
    await output.close();
  }
}

async function readHeader(input: FileHandle): Promise<{ header: Header; metadata: unknown; start: number }> {
  const prefix = Buffer.alloc(8);
  await input.read(prefix, 0, 8, 0);
  const length = Number(prefix.readBigUInt64LE());
  const text = Buffer.alloc(length);
  await input.read(text, 0, length, 8);
  const { __metadata__: metadata, ...header } = JSON.parse(text.toString("utf8")) as Header & {
    __metadata__?: unknown;
  };
  return { header, metadata, start: 8 + length };
}

type Planned = { name: string; tensor: StoredTensor };

/** New shapes and places, in the order of the old places. */
function planOf(header: Header, tables: ReadonlySet<string>, kept: readonly number[]): Planned[] {
  const order = Object.entries(header).sort(([, left], [, right]) => left.data_offsets[0] - right.data_offsets[0]);
  let end = 0;
  return order.map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [from, to],
      },
    ]) => {
      const rows = shape[0] ?? 0;
      if (tables.has(name) && (kept.at(-1) ?? -1) >= rows)
        throw new Error(`${name} has ${rows} rows, and the tokenizer has a piece number ${kept.at(-1)}`);
      const begin = end;
      end += tables.has(name) ? ((to - from) / rows) * kept.length : to - from;
      const newShape = tables.has(name) ? [kept.length, ...shape.slice(1)] : shape;
      return { name, tensor: { dtype, shape: newShape, data_offsets: [begin, end] } };
    },
  );
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

/** Writes one after another and tells how far it is. */
class Writer {
  position = 0;
  private origin = 0;

  constructor(
    private readonly output: FileHandle,
    private readonly onBytes: (done: number, total: number) => void,
    private readonly total: number,
  ) {}

  /** What follows counts as progress. */
  begin(): void {
    this.origin = this.position;
  }

  async write(bytes: Buffer): Promise<void> {
    await this.output.writev([bytes], this.position);
    this.position += bytes.length;
    this.onBytes(this.position - this.origin, this.total);
  }
}
