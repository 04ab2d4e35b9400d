// The weights of an ONNX graph by name: type, shape, and where their bytes lie, in the file itself or beside it (onnx.proto3, TensorProto). The bytes are stepped over.
import { ByteReader, type Field, fields } from "./byte-reader.js";
import type { ReadAt } from "./read-at.js";

export interface OnnxTensor {
  /** ONNX's number of the element type; see ELEMENT_TYPES. */
  type: number;
  shape: number[];
  /** Null where the values are written in several pieces or not at all. `file` is null for the graph's own file. */
  place: { file: string | null; offset: number; length: number } | null;
}

/** Fields that hold values: typed lists and raw bytes. */
const VALUES = new Set([4, 5, 6, 7, 9, 10, 11]);

/**
 * Reads the initializers of the main graph, not those of branches.
 * @param size bytes of the file.
 * @returns by name, in the order of the graph.
 * @throws Error with the rest of a sentence that begins with the file's name.
 */
export async function readOnnxTensors(size: number, readAt: ReadAt): Promise<Map<string, OnnxTensor>> {
  const reader = new ByteReader(size, readAt);
  const tensors = new Map<string, OnnxTensor>();
  for await (const field of fields(reader, size))
    if (field.number === 7)
      for await (const part of fields(reader, field.end))
        if (part.number === 5) {
          const { name, ...tensor } = await readTensor(reader, part.end);
          tensors.set(name, tensor);
        }
  return tensors;
}

async function readTensor(reader: ByteReader, end: number): Promise<OnnxTensor & { name: string }> {
  const tensor: OnnxTensor & { name: string } = { name: "", type: 0, shape: [], place: null };
  const outside: Record<string, string> = {};
  let pieces = 0;
  for await (const field of fields(reader, end)) {
    if (field.number === 1) tensor.shape.push(...(await numbers(reader, field)));
    else if (field.number === 2) tensor.type = field.value;
    else if (field.number === 8) tensor.name = await reader.text(field.end - reader.position);
    else if (field.number === 13) Object.assign(outside, await readEntry(reader, field.end));
    else if (VALUES.has(field.number)) {
      pieces += 1;
      tensor.place = { file: null, offset: reader.position, length: field.end - reader.position };
    }
  }
  if (pieces > 1) tensor.place = null;
  const { location, offset = "0", length } = outside;
  if (location !== undefined)
    tensor.place = length === undefined ? null : { file: location, offset: Number(offset), length: Number(length) };
  return tensor;
}

/** A repeated number stands alone (proto2) or packed with others (proto3). */
async function numbers(reader: ByteReader, field: Field): Promise<number[]> {
  if (field.end === reader.position) return [field.value];
  const found: number[] = [];
  while (reader.position < field.end) {
    await reader.ready(10);
    found.push(reader.varint());
  }
  return found;
}

async function readEntry(reader: ByteReader, end: number): Promise<Record<string, string>> {
  let key = "";
  let value = "";
  for await (const field of fields(reader, end)) {
    if (field.number === 1) key = await reader.text(field.end - reader.position);
    else if (field.number === 2) value = await reader.text(field.end - reader.position);
  }
  return { [key]: value };
}
