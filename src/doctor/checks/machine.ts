// What this machine can do: processor, memory, GPU. Warnings only: a slow machine still works.
import { availableParallelism, cpus, totalmem } from "node:os";
import { findReadyEnvironment } from "../../environment/python-environment.js";
import { hasNvidiaDriver } from "../../environment/torch-source.js";
import { cpuFlags } from "../../environment/versions.js";
import { type Check, type Finding, ok, warning } from "../check.js";

/** The quickstart peaks near 2 GB; a model of bge-reranker-v2-m3's size takes 12 GB. */
const SMALL_MEMORY = 4e9;

export const machineCheck: Check = {
  name: "machine",
  run: async ({ home }) => [processor(cpuFlags(), process.arch), memory(totalmem()), await gpu(home)],
};

/** @param flags telling instruction sets; empty where the system does not say. */
export function processor(flags: string[], arch: string): Finding {
  const name = `${cpus()[0]?.model.trim() || arch}, ${availableParallelism()} cores`;
  const vnni = flags.some(
    (flag) => flag.endsWith("vnni") || flag === "amx_int8" || flag === "i8mm" || flag === "asimddp",
  );
  if (flags.length === 0 || vnni) return ok([name, ...flags].join(" "));
  return warning(
    `${name} has no VNNI: int8 is slower here and gets 7-bit weights`,
    "nothing to do; verify measures what it gains on this machine",
  );
}

export function memory(bytes: number): Finding {
  const text = `${(bytes / 1e9).toFixed(1)} GB of memory`;
  return bytes >= SMALL_MEMORY
    ? ok(text)
    : warning(`${text} is little`, "lower `train.micro_batch_tokens` in the recipe, and close other programs");
}

async function gpu(home: string): Promise<Finding> {
  if (!hasNvidiaDriver()) return ok("no NVIDIA driver: training and scoring run on the CPU");
  const torch = (await findReadyEnvironment(home))?.stamp.torch ?? "";
  if (torch.endsWith("+cpu"))
    return warning(
      `an NVIDIA driver is here, but torch ${torch} is a CPU build`,
      "run `rerank-tune env --rebuild` to take the CUDA build",
    );
  return ok("an NVIDIA driver is here");
}
