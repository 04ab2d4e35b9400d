// How many bits int8 weights may use on this processor; resolved before the cache key is made, so that another machine runs again.
import { arch } from "node:os";
import { cpuFlags } from "../../environment/versions.js";
import { adds8BitExactly, type Processor } from "../../model-folder/processors.js";

/** @returns the bits for `auto`: 7 on x86 without a safe instruction set, or where its flags cannot be read (macOS, Windows); else 8. */
export function resolveWeightBits(
  requested: "auto" | "7" | "8",
  machine: Processor = { arch: arch(), flags: cpuFlags() },
): "7" | "8" {
  if (requested !== "auto") return requested;
  return adds8BitExactly(machine) ? "8" : "7";
}
