// Reads pieces of a file by their offset through one small window, so that weights of any size can be stepped over. Also the fields of a protobuf message.
import type { ReadAt } from "./read-at.js";

const WINDOW_BYTES = 64 * 1024;
/** Longer names and texts than this are no header. */
const LONGEST_TEXT = 1 << 20;

export class ByteReader {
  position = 0;
  private window: Uint8Array = new Uint8Array(0);
  private windowStart = 0;

  constructor(
    readonly size: number,
    private readonly readAt: ReadAt,
  ) {}

  /** Brings the next `count` bytes into the window, or what is left of the file. */
  async ready(count: number): Promise<void> {
    const wanted = Math.min(this.position + count, this.size);
    if (this.position >= this.windowStart && wanted <= this.windowStart + this.window.length) return;
    this.windowStart = this.position;
    this.window = await this.readAt(this.position, Math.min(Math.max(count, WINDOW_BYTES), this.size - this.position));
  }

  /** The next byte; call `ready` before. @throws Error at the end of the file. */
  byte(): number {
    const value = this.window[this.position - this.windowStart];
    if (value === undefined) throw new Error(`it ends at byte ${this.position}`);
    this.position += 1;
    return value;
  }

  async bytes(count: number): Promise<Uint8Array> {
    await this.ready(count);
    const start = this.position - this.windowStart;
    const found = this.window.subarray(start, start + count);
    if (found.length < count) throw new Error(`it ends at byte ${this.size}`);
    this.position += count;
    return found;
  }

  async text(length: number): Promise<string> {
    if (length > LONGEST_TEXT) throw new Error(`it has a name of ${length} bytes`);
    return Buffer.from(await this.bytes(length)).toString("utf8");
  }

  /** A base-128 number, call `ready(10)` before. Negative ones come as 2^64 minus their size, which no caller looks at. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const next = this.byte();
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value;
    }
    throw new Error(`it has no number at byte ${this.position}`);
  }
}

/** A field of a protobuf message: its number, and its value when it is a number, or where its bytes end. */
export interface Field {
  number: number;
  value: number;
  /** Offset behind the field's bytes; the reader stands at their begin. */
  end: number;
}

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/**
 * Walks the fields of the message that ends at `end`; what the caller leaves unread is stepped over.
 * @throws Error when the bytes are no message or the file ends early.
 */
export async function* fields(reader: ByteReader, end: number): AsyncGenerator<Field> {
  while (reader.position < end) {
    await reader.ready(20);
    const tag = reader.varint();
    const field: Field = { number: Math.floor(tag / 8), value: 0, end: 0 };
    const kind = tag % 8;
    if (kind === VARINT) {
      field.value = reader.varint();
      field.end = reader.position;
    } else if (kind === BYTES) field.end = reader.varint() + reader.position;
    else if (kind === FIXED64) field.end = reader.position + 8;
    else if (kind === FIXED32) field.end = reader.position + 4;
    else throw new Error(`it has an unknown kind of field at byte ${reader.position}`);
    if (field.number === 0) throw new Error(`it has an unknown field at byte ${reader.position}`);
    if (field.end > end) throw new Error(`it is cut off: ${end} bytes, and a part of it ends at ${field.end}`);
    yield field;
    reader.position = field.end;
  }
}
