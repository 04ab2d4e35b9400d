// Decides where torch comes from: a CPU build where no NVIDIA driver is, because the default build on Linux brings gigabytes of CUDA.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

export const TORCH_VERSION = "2.13.0";
export const PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu";
/** torch 2.13.0 for CUDA 13 with its nvidia-* and triton packages on linux x64: 2.73 GB of wheels by their Content-Length, CPython 3.12. */
export const CUDA_DOWNLOAD = "about 2.7 GB to download and 6 GB on the disk";

/** How torch is installed before the lock, which accepts any local suffix; `default` leaves it to the lock. */
export type TorchSource =
  | { kind: "default"; note?: string }
  | { kind: "wheel"; path: string; note: string }
  | { kind: "index"; url: string; note: string };

export interface TorchQuestion {
  /** Interpreter whose pip and tags count; the venv's. */
  python: string;
  /** Such as `3.11`. */
  minor: string;
  signal: AbortSignal;
  variables?: NodeJS.ProcessEnv;
  platform?: NodeJS.Platform;
  hasNvidiaDriver?: boolean;
  index?: string;
}

/** 1. a CPU wheel on disk, 2. PyTorch's CPU index if it answers, 3. whatever pip is configured for, with the size said first. */
export async function chooseTorch(question: TorchQuestion): Promise<TorchSource> {
  const platform = question.platform ?? process.platform;
  if (platform === "darwin") return { kind: "default" };
  if (question.hasNvidiaDriver ?? hasNvidiaDriver(platform))
    return {
      kind: "default",
      note: `an NVIDIA driver was found: torch comes with CUDA where the index has it (${CUDA_DOWNLOAD} on Linux)`,
    };
  const wheel = await findCpuWheel(question);
  if (wheel !== undefined) return { kind: "wheel", path: wheel, note: `torch: CPU build from ${wheel}` };
  const index = question.index ?? PYTORCH_CPU_INDEX;
  if (await offersCpuBuild(question, index))
    return { kind: "index", url: index, note: `torch: CPU build from ${index} (about 190 MB)` };
  if (platform === "win32") return { kind: "default" }; // the Windows wheels of PyPI are CPU builds
  return {
    kind: "default",
    note: `no CPU build of torch was found on disk or at ${index}; the configured package index may send the CUDA build: ${CUDA_DOWNLOAD}. Ctrl-C now and put a CPU wheel into a folder named by RERANK_TUNE_WHEELS to avoid it`,
  };
}

/** A driver, not only a card: without it a CUDA build computes nothing. */
export function hasNvidiaDriver(platform: NodeJS.Platform = process.platform): boolean {
  if (platform === "win32") return existsSync(join(process.env.SystemRoot ?? "C:\\Windows", "System32", "nvcuda.dll"));
  return ["/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1"].some((path) => existsSync(path));
}

/** Folders where pip looks for wheels: RERANK_TUNE_WHEELS and every local `find-links` of pip's own configuration. */
export async function wheelFolders(question: TorchQuestion): Promise<string[]> {
  const variables = question.variables ?? process.env;
  const result = await execa(question.python, ["-I", "-m", "pip", "config", "list"], {
    reject: false,
    env: variables,
    extendEnv: false,
    stdin: "ignore",
    timeout: 30_000,
    cancelSignal: question.signal,
  });
  const configured = [...(result.stdout ?? "").matchAll(/\.find-links='([^']*)'/g)].flatMap(([, value]) =>
    (value ?? "").split(/(?:\\n|\s)+/),
  );
  const folders = [variables.RERANK_TUNE_WHEELS ?? "", ...configured].filter((entry) => entry !== "");
  return [...new Set(folders.map(localFolder).filter((path) => path !== undefined))];
}

function localFolder(entry: string): string | undefined {
  if (entry.startsWith("file:")) return fileURLToPath(entry);
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(entry) ? undefined : entry;
}

async function findCpuWheel(question: TorchQuestion): Promise<string | undefined> {
  const tag = `cp${question.minor.replace(".", "")}`;
  const name = new RegExp(
    `^torch-${TORCH_VERSION.replaceAll(".", "\\.")}(\\+|%2B)cpu-${tag}-${tag}-.*${platformTag(question)}\\.whl$`,
    "i",
  );
  for (const folder of await wheelFolders(question)) {
    const found = (await readdir(folder).catch(() => [])).find((file) => name.test(file));
    if (found !== undefined) return join(folder, found);
  }
  return undefined;
}

function platformTag(question: TorchQuestion): string {
  if ((question.platform ?? process.platform) === "win32") return process.arch === "arm64" ? "win_arm64" : "win_amd64";
  return process.arch === "arm64" ? "linux.*_aarch64" : "linux.*_x86_64";
}

/** Asks through pip, so that proxies, certificates and wheel tags are those of the later installation; 4 seconds at most for the network. */
async function offersCpuBuild(question: TorchQuestion, index: string): Promise<boolean> {
  const only = { PIP_EXTRA_INDEX_URL: index, PIP_INDEX_URL: index, PIP_FIND_LINKS: import.meta.dirname };
  const result = await execa(
    question.python,
    ["-I", "-m", "pip", "index", "versions", "torch", "--index-url", index, "--retries", "0", "--timeout", "4"],
    {
      reject: false,
      env: { ...(question.variables ?? process.env), ...only },
      extendEnv: false,
      stdin: "ignore",
      timeout: 7_000, // pip itself takes one to two seconds to start
      cancelSignal: question.signal,
    },
  );
  return (result.stdout ?? "").split(/[\s,()]+/).includes(`${TORCH_VERSION}+cpu`);
}
