// Can the folders be written, and is there space in them?
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freeBytes, nearestExisting } from "../../artifacts/disk-space.js";
import { fromFileSystemError } from "../../errors.js";
import { type Check, type Finding, failure, ok, warning } from "../check.js";

/** A CPU environment takes 1.5 GB, onnxruntime-node 0.3 GB, a quickstart 0.5 GB. */
const SPACE = { error: 1e9, warning: 5e9 };

export const foldersCheck: Check = {
  name: "folders",
  run: async ({ home, artifacts }) => [
    ...(await folder(home, "cache", "set RERANK_TUNE_HOME to another folder")),
    ...(await folder(artifacts, "artifacts", "choose another folder with --artifacts")),
  ],
};

async function folder(path: string, name: string, remedy: string): Promise<Finding[]> {
  const existed = await nearestExisting(path);
  const probe = join(path, `.doctor-${process.pid}`);
  try {
    const made = await mkdir(path, { recursive: true });
    await writeFile(probe, "");
    await rm(probe);
    if (made !== undefined) await rm(made, { recursive: true }); // leave the machine as it was
    return [ok(`${name} folder ${path} can be written`), space(name, await freeBytes(existed), remedy)];
  } catch (error) {
    const known = fromFileSystemError(error, path);
    return [failure(`${name} folder: ${known?.message ?? (error as Error).message}`, remedy)];
  }
}

/** @param bytes free bytes. */
export function space(name: string, bytes: number, remedy: string): Finding {
  const text = `${(bytes / 1e9).toFixed(1)} GB are free for the ${name} folder`;
  if (bytes < SPACE.error) return failure(text, `free space, or ${remedy}`);
  return bytes < SPACE.warning ? warning(text, `free space, or ${remedy}; big models need more`) : ok(text);
}
