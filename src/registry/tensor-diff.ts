// Tensors of weights and graphs that two versions have under the same path: which came, went, changed type or shape, or hold other values.
import { type FileHandle, open } from "node:fs/promises";
import { posix } from "node:path";
import { ELEMENT_TYPES } from "../model-folder/onnx-header.js";
import { readOnnxTensors } from "../model-folder/onnx-tensors.js";
import { readerOf } from "../model-folder/read-at.js";
import { readSafetensorsLayout } from "../model-folder/safetensors-layout.js";
import type { FrozenFile } from "./frozen.js";

export interface TensorDiff {
  file: string;
  added: string[];
  removed: string[];
  /** Other type or shape, as `float32 [2, 3]`. */
  reshaped: { name: string; left: string; right: string }[];
  /** Same type and shape, other values. */
  changed: string[];
  /** Equal byte for byte. */
  equal: number;
  /** Values that are not in one place, so that their bytes were not compared. */
  not_compared: number;
  /** Why the file could not be read as what its name says; the lists are empty then. */
  problem?: string;
}

interface Tensor {
  /** Such as `float32 [2, 3]`. */
  form: string;
  place: { blob: string; offset: number; length: number } | null;
}

const PIECE_BYTES = 1 << 20;

/** @returns one entry for each weight file or graph whose own bytes, or those of the weights beside it, differ. */
export async function tensorDiffs(left: readonly FrozenFile[], right: readonly FrozenFile[]): Promise<TensorDiff[]> {
  const found: TensorDiff[] = [];
  const other = new Map(left.map((file) => [file.path, file]));
  for (const file of right) {
    const before = other.get(file.path);
    if (before === undefined || !/\.(safetensors|onnx)$/.test(file.path)) continue;
    const beside = (files: readonly FrozenFile[]) => files.find(({ path }) => path === `${file.path}_data`)?.sha256;
    if (before.sha256 === file.sha256 && beside(left) === beside(right)) continue;
    found.push(await tensorDiff(file.path, [before, left], [file, right]));
  }
  return found;
}

type Side = readonly [FrozenFile, readonly FrozenFile[]];

async function tensorDiff(path: string, left: Side, right: Side): Promise<TensorDiff> {
  const empty = { file: path, added: [], removed: [], reshaped: [], changed: [], equal: 0, not_compared: 0 };
  try {
    return await compared(empty, await tensorsOf(...left), await tensorsOf(...right));
  } catch (error) {
    return { ...empty, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function compared(
  into: TensorDiff,
  before: ReadonlyMap<string, Tensor>,
  after: ReadonlyMap<string, Tensor>,
): Promise<TensorDiff> {
  into.removed.push(...[...before.keys()].filter((name) => !after.has(name)));
  const files = new OpenFiles();
  try {
    for (const [name, now] of after) {
      const old = before.get(name);
      if (old === undefined) into.added.push(name);
      else if (old.form !== now.form) into.reshaped.push({ name, left: old.form, right: now.form });
      else if (old.place === null || now.place === null) into.not_compared += 1;
      else if (await files.equal(old.place, now.place)) into.equal += 1;
      else into.changed.push(name);
    }
  } finally {
    await files.close();
  }
  return into;
}

async function tensorsOf(file: FrozenFile, files: readonly FrozenFile[]): Promise<Map<string, Tensor>> {
  const handle = await open(file.blob);
  try {
    return file.path.endsWith(".onnx")
      ? await onnxTensors(file, files, handle)
      : await safetensorsTensors(file, handle);
  } finally {
    await handle.close();
  }
}

async function safetensorsTensors(file: FrozenFile, handle: FileHandle): Promise<Map<string, Tensor>> {
  const { tensors, start } = await readSafetensorsLayout(file.bytes, readerOf(handle));
  return new Map(
    [...tensors].map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [from, to],
        },
      ]) => [
        name,
        { form: `${dtype} [${shape.join(", ")}]`, place: { blob: file.blob, offset: start + from, length: to - from } },
      ],
    ),
  );
}

async function onnxTensors(
  file: FrozenFile,
  files: readonly FrozenFile[],
  handle: FileHandle,
): Promise<Map<string, Tensor>> {
  const blobs = new Map(files.map(({ path, blob }) => [path, blob]));
  const found = new Map<string, Tensor>();
  for (const [name, { type, shape, place }] of await readOnnxTensors(file.bytes, readerOf(handle))) {
    const own = place?.file === null;
    // Only files of the version are opened, whatever the graph names.
    const blob = own ? file.blob : blobs.get(posix.join(posix.dirname(file.path), place?.file ?? ""));
    const form = `${ELEMENT_TYPES[type] ?? `type ${type}`} [${shape.join(", ")}]`;
    const { offset = 0, length = 0 } = place ?? {};
    found.set(name, { form, place: place === null || blob === undefined ? null : { blob, offset, length } });
  }
  return found;
}

/** Files that stay open while their tensors are compared. */
class OpenFiles {
  private readonly handles = new Map<string, FileHandle>();

  async equal(left: NonNullable<Tensor["place"]>, right: NonNullable<Tensor["place"]>): Promise<boolean> {
    if (left.length !== right.length) return false;
    const read = [await this.reader(left.blob), await this.reader(right.blob)] as const;
    for (let at = 0; at < left.length; at += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, left.length - at);
      const [one, two] = await Promise.all([read[0](left.offset + at, length), read[1](right.offset + at, length)]);
      if (Buffer.compare(one, two) !== 0) return false;
    }
    return true;
  }

  private async reader(blob: string): Promise<ReturnType<typeof readerOf>> {
    const handle = this.handles.get(blob) ?? (await open(blob));
    this.handles.set(blob, handle);
    return readerOf(handle);
  }

  async close(): Promise<void> {
    for (const handle of this.handles.values()) await handle.close();
  }
}
