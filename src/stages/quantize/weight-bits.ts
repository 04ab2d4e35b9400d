// How many bits int8 weights may use on this processor; resolved before the cache key is made, so that another machine runs again.
import { readFileSync } from "node:fs";
import { arch } from "node:os";

/** Instruction sets that add products of 8-bit integers in 32 bits; others saturate at 16 (onnx.md §3.2). */
const SAFE_FLAGS = ["avx512_vnni", "avx_vnni", "amx_int8"];

/** @returns the bits for `auto`: 7 on x86 without a safe instruction set, or where its flags cannot be read; else 8. */
export function resolveWeightBits(
  requested: "auto" | "7" | "8",
  machine: { arch: string; cpuInfo: string } = { arch: arch(), cpuInfo: "/proc/cpuinfo" },
): "7" | "8" {
  if (requested !== "auto") return requested;
  if (machine.arch !== "x64") return "8";
  const flags = readFlags(machine.cpuInfo);
  return SAFE_FLAGS.some((flag) => flags.includes(flag)) ? "8" : "7";
}

function readFlags(path: string): string[] {
  try {
    const line = readFileSync(path, "utf8").match(/^flags\s*:(.*)$/m);
    return line?.[1]?.trim().split(/\s+/) ?? [];
  } catch {
    return []; // no /proc on macOS and Windows: 7 bits are right everywhere
  }
}
