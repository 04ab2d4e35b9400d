// Putting files into a package: linked where that is safe, copied where it is not, and frozen. Knows nothing of models.
import { constants } from "node:fs";
import { chmod, copyFile, link, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { listFiles } from "../../artifacts/hash.js";

/** Links a finished file into the package, or copies it where links do not work. */
export async function placeFile(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await link(source, target).catch((error) => {
    if (!["EXDEV", "EMLINK", "EPERM", "ENOTSUP", "ENOSYS"].includes((error as NodeJS.ErrnoException).code ?? ""))
      throw error;
    return copyFile(source, target, constants.COPYFILE_EXCL);
  });
}

/** External weights must be a file of their own: onnx 1.21 and later refuse linked ones (onnx.md §1.1). */
export async function copyAlone(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}

export async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { flag: "wx" });
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeText(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** Takes write permission from every file: a package is never changed, only made anew. */
export async function freeze(folder: string): Promise<void> {
  for (const path of await listFiles(folder)) await chmod(join(folder, path), 0o444);
}
