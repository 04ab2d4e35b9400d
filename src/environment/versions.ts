// Versions that can change a result, for cache keys and provenance. Reads small files only: it runs before every command.
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import type { ToolVersions } from "../pipeline/stage.js";
import { lockDigest } from "./lock-file.js";
import { onnxRuntimeVersion } from "./onnxruntime.js";
import { packageDescription } from "./package-root.js";

/** Instruction sets that decide the speed and the arithmetic of int8 and bf16 (onnx.md §3.2). */
const TELLING_FLAGS = [
  "avx2",
  "avx512f",
  "avx_vnni",
  "avx512_vnni",
  "avx512_bf16",
  "amx_int8",
  "amx_bf16",
  "asimddp",
  "i8mm",
  "bf16",
  "sve",
];

export async function toolVersions(): Promise<ToolVersions> {
  const { version, dependencies } = packageDescription();
  return {
    rerank_tune: version,
    node: process.versions.node,
    onnxruntime_node: onnxRuntimeVersion(),
    tokenizers_js: dependencies["@huggingface/tokenizers"] ?? "",
    python_lock: lockDigest(),
    host: hostDescription(),
  };
}

/** Such as `Intel(R) Xeon(R) Processor, 2 cores, avx2 avx512f avx512_vnni`. */
export function hostDescription(): string {
  const model = cpus()[0]?.model.trim() || process.arch;
  return [model, `${availableParallelism()} cores`, cpuFlags().join(" ")].filter((part) => part !== "").join(", ");
}

/** The telling instruction sets of this CPU; empty where the system does not say (all but Linux). */
export function cpuFlags(): string[] {
  let text: string;
  try {
    text = readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return []; // not Linux
  }
  const listed = /^(?:flags|Features)\s*:(.*)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  return TELLING_FLAGS.filter((flag) => listed.includes(flag));
}
