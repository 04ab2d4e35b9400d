// Which files of which package make the CUDA provider: read from the installed onnxruntime-node itself, so that version and paths are always its own.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";
import { RerankTuneError } from "../../errors.js";

/** What its install script would fetch on Linux x64 (script/install-metadata.js, 1.30.0). */
const metadataSchema = z.object({
  manifests: z.record(z.string(), z.record(z.string(), z.object({ package: z.string(), path: z.string() }))),
  packages: z.record(
    z.string(),
    z.object({ name: z.string(), versions: z.array(z.object({ feed: z.string(), version: z.string() })).min(1) }),
  ),
  feeds: z.record(z.string(), z.object({ index: z.string() })),
});

const PLATFORM = "linux/x64";
const MANIFEST = `${PLATFORM}:cuda12`;
export const CUDA_PROVIDER = "libonnxruntime_providers_cuda.so";

export interface CudaPackage {
  /** NuGet id, such as Microsoft.ML.OnnxRuntime.Gpu.Linux. */
  id: string;
  version: string;
  /** Address of the feed's service index. */
  feed: string;
  /** Folder of the installed native library. */
  folder: string;
  files: { inPackage: string; target: string }[];
}

/**
 * @param entry module file of the installed onnxruntime-node.
 * @throws RerankTuneError PLATFORM_UNSUPPORTED anywhere but on Linux x64; RUNTIME_MISSING when the package says it otherwise.
 */
export function cudaPackage(entry: string, platform = `${process.platform}/${process.arch}`): CudaPackage {
  if (platform !== PLATFORM)
    throw new RerankTuneError({
      code: "PLATFORM_UNSUPPORTED",
      message: `ONNX Runtime has CUDA files for Node on ${PLATFORM} alone, and this is ${platform}.`,
      hint: "score on the CPU here, or run `rerank-tune doctor --install-cuda` on a Linux machine with an x64 processor",
    });
  const root = packageRoot(entry);
  const file = join(root, "script", "install-metadata.js");
  const metadata = existsSync(file) ? metadataSchema.safeParse(createRequire(entry)(file)).data : undefined;
  const files = Object.entries(metadata?.manifests[MANIFEST] ?? {});
  const name = files[0]?.[1].package;
  const from = name === undefined ? undefined : metadata?.packages[name];
  const version = from?.versions[0];
  const feed = version === undefined ? undefined : metadata?.feeds[version.feed];
  if (from === undefined || version === undefined || feed === undefined) throw unknownRelease(file);
  const folder = join(root, "bin", napiFolder(root), PLATFORM);
  return {
    id: from.name,
    version: version.version,
    feed: feed.index,
    folder,
    files: files.map(([target, { path }]) => ({ inPackage: path, target: join(folder, target) })),
  };
}

/** Where the CUDA provider lies once it is installed; undefined where this platform has none. */
export function installedProvider(entry: string): string | undefined {
  if (`${process.platform}/${process.arch}` !== PLATFORM) return undefined;
  const file = join(cudaPackage(entry).folder, CUDA_PROVIDER);
  return existsSync(file) ? file : undefined;
}

function packageRoot(entry: string): string {
  let folder = dirname(entry);
  while (!existsSync(join(folder, "package.json")) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** `napi-v6`: package.json says for which versions of Node's interface the binaries are. */
function napiFolder(root: string): string {
  const { binary } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    binary?: { napi_versions?: number[] };
  };
  return `napi-v${binary?.napi_versions?.at(-1) ?? 6}`;
}

function unknownRelease(file: string): RerankTuneError {
  return new RerankTuneError({
    code: "RUNTIME_MISSING",
    message: `${file} does not say which package holds the CUDA files.`,
    hint: "remove that onnxruntime-node and run `rerank-tune env`, which fetches the pinned release",
  });
}
