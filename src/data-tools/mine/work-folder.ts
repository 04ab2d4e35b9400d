// The folder beside the output that holds a run's unfinished work: who may use it, and whether it belongs to this very command.
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { acquireLock } from "../../artifacts/lock.js";
import { fromFileSystemError, RerankTuneError } from "../../errors.js";

export interface WorkFolder {
  folder: string;
  /** Lets others use the folder; what is in it stays. */
  release(): Promise<void>;
  /** Puts the finished file in its place and removes the folder. */
  finish(file: string): Promise<void>;
  /** Removes the folder: its work cannot be used. */
  discard(): Promise<void>;
}

/** Everything that decides the result, by name: digests and plain values. */
export type Identity = Record<string, string>;

/**
 * @throws RerankTuneError USAGE when the output is there already, when interrupted work is there and `resume` is not asked for,
 * or when that work is of another command; FOLDER_IN_USE; NOT_WRITABLE.
 */
export async function openWorkFolder(out: string, identity: Identity, resume: boolean): Promise<WorkFolder> {
  if (existsSync(out)) throw usage(`${out} is there already.`, "remove it, or name another file with --out");
  if (!existsSync(dirname(out)))
    throw new RerankTuneError({
      code: "NOT_WRITABLE",
      message: `The folder of ${out} does not exist.`,
      hint: `make it first: \`mkdir -p ${dirname(out)}\``,
    });
  const folder = `${out}.work`;
  await mkdir(folder, { recursive: true }).catch((error) => {
    throw fromFileSystemError(error, folder) ?? error;
  });
  const release = await acquireLock(join(folder, "lock"), { hint: "wait for the other run to end" });
  try {
    await claim(folder, identity, resume);
  } catch (error) {
    await release();
    throw error;
  }
  const discard = () => rm(folder, { recursive: true, force: true });
  return {
    folder,
    release,
    discard,
    finish: async (file) => {
      await rename(file, out);
      await discard();
    },
  };
}

async function claim(folder: string, identity: Identity, resume: boolean): Promise<void> {
  const path = join(folder, "identity.json");
  if (!existsSync(path)) {
    await writeFile(`${path}.new`, JSON.stringify(identity));
    return await rename(`${path}.new`, path);
  }
  if (!resume)
    throw usage(
      `${folder} holds the work of an interrupted run.`,
      `add --resume to continue it, or remove it to start over: \`rm -r ${folder}\``,
    );
  const begun = JSON.parse(await readFile(path, "utf8")) as Identity;
  const names = [...new Set([...Object.keys(begun), ...Object.keys(identity)])].sort();
  const other = names.filter((name) => begun[name] !== identity[name]);
  if (other.length > 0)
    throw usage(
      `The work in ${folder} was begun with other ${other.join(", ")}.`,
      `give the same as then, or remove it to start over: \`rm -r ${folder}\``,
    );
}

function usage(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "USAGE", message, hint });
}
