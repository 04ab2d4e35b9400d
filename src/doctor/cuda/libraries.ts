// Which libraries of CUDA and cuDNN the provider needs and this machine lacks, by name and with the way to get each. Asks the system's own loader.
import { execa } from "execa";
import { type Finding, failure, ok, warning } from "../check.js";

/** Who brings a library, by the start of its name. The sonames are those of CUDA 12 and cuDNN 9 (onnx.md §8). */
const SOURCES: readonly [start: string, from: string, how: string][] = [
  ["libcuda.so", "the NVIDIA driver", "install NVIDIA's driver (525 or newer), or start the container with --gpus all"],
  [
    "libcudnn",
    "cuDNN 9 for CUDA 12",
    "install it: `apt-get install libcudnn9-cuda-12` (https://developer.nvidia.com/cudnn-downloads)",
  ],
  [
    "libnv",
    "the CUDA 12 toolkit",
    "install it: `apt-get install cuda-libraries-12-8` (https://developer.nvidia.com/cuda-12-8-0-download-archive)",
  ],
  [
    "libcu",
    "the CUDA 12 toolkit",
    "install it: `apt-get install cuda-libraries-12-8` (https://developer.nvidia.com/cuda-12-8-0-download-archive)",
  ],
];
const ELSEWHERE = "if it is installed, add its folder to LD_LIBRARY_PATH";

/** Names that the loader does not find, in the order of `ldd`'s output; each once. */
export function missingLibraries(lddOutput: string): string[] {
  const found = [...lddOutput.matchAll(/^\s*(\S+)\s+=>\s+not found/gm)].map((match) => match[1] as string);
  return [...new Set(found)];
}

/** Findings on one list of missing libraries; a single good one when it is empty. */
export function libraryFindings(missing: readonly string[]): Finding[] {
  if (missing.length === 0) return [ok("the CUDA provider finds all its libraries (CUDA 12, cuDNN 9)")];
  return missing.map((name) => {
    const [, from, how] = SOURCES.find(([start]) => name.startsWith(start)) ?? ["", "the system", "install it"];
    return failure(`the CUDA provider lacks ${name} of ${from}`, `${how}; ${ELSEWHERE}`);
  });
}

/** @param provider path of libonnxruntime_providers_cuda.so. */
export async function checkLibraries(provider: string): Promise<Finding[]> {
  const result = await execa("ldd", [provider], { reject: false, stdin: "ignore", timeout: 60_000 });
  if (result.exitCode === 0) return libraryFindings(missingLibraries(result.stdout));
  const why = (result.stderr || result.shortMessage || "").split("\n")[0];
  return [
    warning(`ldd cannot say which libraries ${provider} needs: ${why}`, "nothing to do; the session below decides"),
  ];
}
