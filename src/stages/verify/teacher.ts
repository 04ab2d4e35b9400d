// The teacher of a student as verify meets it: the folder of the base, with ONNX files to race against where it is a package of ours.
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { RerankTuneError } from "../../errors.js";
import type { StageEvent } from "../../events.js";
import { MODEL_FILES } from "../../model-folder/layout.js";
import { openPackage, type PresentVariant } from "./package-check.js";

export interface Teacher {
  folder: string;
  /** Empty where the folder is no sound package. */
  variants: PresentVariant[];
  /** Of its safetensors files. */
  weightBytes: number;
}

const UNUSABLE: ReadonlySet<string> = new Set(["PACKAGE_INVALID", "UNSAFE_INPUT"]);

/** A folder that is no package, or a changed one, only goes without its latency; why is said. */
export async function openTeacher(
  folder: string,
  signal: AbortSignal,
  emit: (event: StageEvent) => void,
): Promise<Teacher> {
  return {
    folder,
    variants: await variantsOf(folder, signal, emit),
    weightBytes: await weightBytesOf(folder),
  };
}

async function variantsOf(
  folder: string,
  signal: AbortSignal,
  emit: (event: StageEvent) => void,
): Promise<PresentVariant[]> {
  const without = "its latency is not measured beside the student's, speeds of PyTorch are compared alone";
  if (!existsSync(join(folder, MODEL_FILES.manifest))) {
    emit({ type: "note", message: `the teacher's folder is no package of rerank-tune: ${without}` });
    return [];
  }
  try {
    return (await openPackage(folder, signal)).variants;
  } catch (error) {
    if (!(error instanceof RerankTuneError) || !UNUSABLE.has(error.code)) throw error;
    emit({ type: "warning", message: `${error.message} Of this teacher ${without}` });
    return [];
  }
}

async function weightBytesOf(folder: string): Promise<number> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".safetensors"));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}
