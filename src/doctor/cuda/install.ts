// `doctor --install-cuda`: brings the CUDA provider of exactly the installed onnxruntime-node, from its NuGet package, without the package's own install script (decision 2).
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, mkdir, readFile, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { acquireLock } from "../../artifacts/lock.js";
import { fromFileSystemError, interrupted, RerankTuneError } from "../../errors.js";
import type { StageEvent } from "../../events.js";
import { type Fetch, PATIENCE, type Patience, proxiedFetch } from "../../hub/access.js";
import { downloadFile } from "../../hub/download.js";
import { progressOf } from "../../hub/progress.js";
import { findInFeed, unusable } from "./feed.js";
import { type CudaPackage, cudaPackage } from "./package.js";
import { unpackProvider } from "./unpack.js";

export interface InstallCudaOptions {
  /** Module file of the installed onnxruntime-node. */
  entry: string;
  /** Cache folder of the tool; an interrupted download goes on there. */
  home: string;
  /** A package that was brought by hand. */
  packageFile?: string;
  /** Service index of another NuGet v3 feed. */
  feed?: string;
  emit(event: StageEvent): void;
  signal: AbortSignal;
  /** For tests. */
  platform?: string;
  fetch?: Fetch;
  patience?: Patience;
}

/**
 * Puts the provider's libraries beside the native library. The package is removed afterwards.
 * @returns the folder they are in.
 * @throws RerankTuneError PLATFORM_UNSUPPORTED, NOT_WRITABLE before anything is fetched; DOWNLOAD_FAILED, CHECKSUM_MISMATCH,
 * CUDA_PACKAGE_INVALID, USAGE for a file that is not there, DISK_FULL, INTERRUPTED.
 */
export async function installCuda(options: InstallCudaOptions): Promise<string> {
  const { entry, feed, platform, emit, packageFile } = options;
  const known = cudaPackage(entry, platform);
  const wanted: CudaPackage = feed === undefined ? known : { ...known, feed };
  await requireWritable(wanted);
  if (packageFile !== undefined) await checkByHand(packageFile, emit);
  const cache = join(options.home, "node", `cuda-${wanted.version}`);
  try {
    await mkdir(cache, { recursive: true });
    const release = await acquireLock(join(cache, ".lock"), { waitMs: 600_000 });
    try {
      const archive = packageFile ?? (await download(wanted, cache, options));
      emit({ type: "phase", name: "unpack the CUDA provider" });
      await unpackProvider(archive, wanted);
      if (packageFile === undefined) await rm(archive, { force: true });
    } finally {
      await release();
    }
  } catch (error) {
    throw fromFileSystemError(error, wanted.folder) ?? error;
  }
  return wanted.folder;
}

/** Better to know before 200 MB than after. */
async function requireWritable({ folder }: CudaPackage): Promise<void> {
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    const gone = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new RerankTuneError({
      code: gone ? "RUNTIME_MISSING" : "NOT_WRITABLE",
      message: gone ? `${folder} is not there.` : `The CUDA files belong in ${folder}, which this user cannot write.`,
      hint: gone
        ? "remove that onnxruntime-node and run `rerank-tune env`, which fetches the pinned release"
        : "run the same command as the owner of that folder, or install rerank-tune where you can write",
      cause: error,
    });
  }
}

/** NuGet's own tools leave `<file>.sha512` beside a package: base64 of its digest. */
async function checkByHand(file: string, emit: InstallCudaOptions["emit"]): Promise<void> {
  if ((await stat(file).catch(() => undefined))?.isFile() !== true)
    throw new RerankTuneError({
      code: "USAGE",
      message: `There is no file ${file}.`,
      hint: "give the path of the .nupkg with --cuda-package",
    });
  const said = await readFile(`${file}.sha512`, "utf8").catch(() => undefined);
  if (said === undefined) {
    emit({ type: "note", message: `${basename(file)} has no .sha512 beside it: its digest is not checked` });
    return;
  }
  const hash = createHash("sha512");
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  const found = hash.digest("base64");
  if (found === said.trim()) return;
  throw new RerankTuneError({
    code: "CHECKSUM_MISMATCH",
    message: `${file} has the sha512 ${found}, and ${basename(file)}.sha512 says ${said.trim().slice(0, 100)}.`,
    hint: "fetch the package again; it was cut off or changed on its way",
  });
}

async function download(wanted: CudaPackage, cache: string, options: InstallCudaOptions): Promise<string> {
  const { emit, signal, patience = PATIENCE } = options;
  const access = { fetch: options.fetch ?? (await proxiedFetch()), signal, patience };
  emit({ type: "phase", name: `find ${wanted.id} ${wanted.version}` });
  try {
    const { url, file } = await findInFeed(wanted, access);
    emit({ type: "phase", name: `download ${file.path} (${Math.round(file.size / 1e6)} MB)` });
    const target = join(cache, file.path);
    const settings = {
      access,
      subject: `${wanted.id} ${wanted.version}`,
      address: () => url,
      refused: (status: number) => unusable(wanted, `${url} answered ${status}`),
      settings: "HTTPS_PROXY and --cuda-feed",
      onProgress: progressOf([file], emit),
    };
    await downloadFile(settings, file, target);
    return target;
  } catch (error) {
    if (error instanceof RerankTuneError) throw error;
    if (signal.aborted) throw interrupted(signal, "run the same command again: the download goes on where it stopped");
    throw fromFileSystemError(error, cache) ?? unusable(wanted, (error as Error).message, error);
  }
}
