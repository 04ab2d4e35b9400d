// What the measurements ran on. Without it a timing means nothing.
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { onnxRuntimeVersion } from "../../environment/onnxruntime.js";
import { cpuFlags } from "../../environment/versions.js";
import type { PackageManifest } from "../../model-folder/layout.js";
import { adds8BitExactly, type Processor } from "../../model-folder/processors.js";
import type { VerifyOutput } from "./schema.js";

/** @param threads as in the recipe; 0 is written as the number ONNX Runtime takes: one a physical core. */
export function machineRecord(threads: number): VerifyOutput["machine"] {
  return {
    cpu: cpus()[0]?.model.trim() ?? process.arch,
    cores: availableParallelism(),
    flags: cpuFlags(),
    threads: threads > 0 ? threads : physicalCores(),
    onnxruntime: onnxRuntimeVersion(),
    node: process.versions.node,
  };
}

/**
 * What int8 loses on a processor it was not made for, or undefined; the gates measure it, this says why.
 * @param processor this one when absent.
 */
export function saturationWarning(
  { quantization, variants }: Pick<PackageManifest, "quantization" | "variants">,
  processor: Processor = { arch: process.arch, flags: cpuFlags() },
): string | undefined {
  const int8 = variants.some(({ name }) => name === "int8");
  if (!int8 || quantization.weight_bits !== 8 || adds8BitExactly(processor)) return undefined;
  return "products of int8's 8-bit weights saturate on this processor, so its scores are others here; quantize again with `--set quantize.weight_bits=7`";
}

/** Distinct (socket, core) pairs on Linux; elsewhere what Node counts. */
export function physicalCores(cpuInformation: string | undefined = readCpuInformation()): number {
  const cores = new Set<string>();
  let socket = "";
  for (const line of (cpuInformation ?? "").split("\n")) {
    const [key, value] = line.split(":").map((part) => part.trim());
    if (key === "physical id") socket = value ?? "";
    if (key === "core id") cores.add(`${socket}/${value}`);
  }
  return cores.size > 0 ? cores.size : availableParallelism();
}

function readCpuInformation(): string | undefined {
  try {
    return readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    return undefined; // not Linux
  }
}
