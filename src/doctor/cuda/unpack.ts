// Takes the provider's libraries out of a NuGet package and puts them beside the native library, all or none.
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { unzipSync } from "fflate";
import { RerankTuneError } from "../../errors.js";
import type { CudaPackage } from "./package.js";

/** First bytes of every Linux library. */
const ELF = "\u007fELF";

/**
 * @param archive the .nupkg, a zip file; it is held in memory with what is taken out of it, about 1 GB.
 * @throws RerankTuneError CUDA_PACKAGE_INVALID when it is another package or damaged; NOT_WRITABLE.
 */
export async function unpackProvider(archive: string, wanted: CudaPackage): Promise<void> {
  const nuspec = `${wanted.id}.nuspec`;
  const names = new Set([nuspec.toLowerCase(), ...wanted.files.map(({ inPackage }) => inPackage.toLowerCase())]);
  const found = unzip(archive, await readFile(archive), names);
  checkIdentity(archive, found.get(nuspec.toLowerCase()), wanted);
  const contents = wanted.files.map(({ inPackage, target }) => {
    const bytes = found.get(inPackage.toLowerCase());
    if (bytes === undefined || Buffer.from(bytes.subarray(0, 4)).toString("latin1") !== ELF)
      throw invalid(archive, `${inPackage} is ${bytes === undefined ? "not in it" : "no Linux library"}`, wanted);
    return { bytes, target };
  });
  await placeAll(contents);
}

function unzip(archive: string, bytes: Uint8Array, names: ReadonlySet<string>): Map<string, Uint8Array> {
  try {
    const files = unzipSync(bytes, { filter: ({ name }) => names.has(name.toLowerCase()) });
    return new Map(Object.entries(files).map(([name, content]) => [name.toLowerCase(), content]));
  } catch (error) {
    throw invalid(archive, `it is no whole zip file (${(error as Error).message})`);
  }
}

/** The manifest inside says what the package is, whatever the file is called. */
function checkIdentity(archive: string, nuspec: Uint8Array | undefined, wanted: CudaPackage): void {
  const text = nuspec === undefined ? "" : Buffer.from(nuspec).toString("utf8");
  const field = (name: string) => new RegExp(`<${name}>\\s*([^<]*?)\\s*</${name}>`).exec(text)?.[1];
  const [id, version] = [field("id"), field("version")];
  if (id?.toLowerCase() === wanted.id.toLowerCase() && version === wanted.version) return;
  throw invalid(archive, id === undefined ? "it has no manifest of that name" : `it is ${id} ${version}`, wanted);
}

/** Written under other names first: a library that is half there would take every session down. */
async function placeAll(contents: readonly { bytes: Uint8Array; target: string }[]): Promise<void> {
  const partial = (target: string) => `${target}.${process.pid}.partial`;
  try {
    for (const { bytes, target } of contents) await writeFile(partial(target), bytes, { mode: 0o755 });
    for (const { target } of contents) await rename(partial(target), target);
  } finally {
    for (const { target } of contents) await rm(partial(target), { force: true });
  }
}

function invalid(archive: string, reason: string, wanted?: CudaPackage): RerankTuneError {
  const right = wanted === undefined ? "" : ` of ${wanted.id} ${wanted.version}`;
  return new RerankTuneError({
    code: "CUDA_PACKAGE_INVALID",
    message: `${basename(archive)} is not the package${right}: ${reason}.`,
    hint: `fetch it again: \`rerank-tune doctor --install-cuda\`, or from https://www.nuget.org/packages${wanted === undefined ? "" : `/${wanted.id}/${wanted.version}`}`,
  });
}
