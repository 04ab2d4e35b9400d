// Runs a job in its work folder: finished work moves to its place, unfinished work stays only if there is something to go on with.
import { join } from "node:path";
import { interrupted, RerankTuneError } from "../../errors.js";
import { bytesOf } from "../mine/lines-file.js";
import { type Identity, openWorkFolder } from "../mine/work-folder.js";

export interface WorkPlan {
  out: string;
  identity: Identity;
  resume: boolean;
  /** Name, in the work folder, of the file that grows: while it is empty nothing is lost with the folder. */
  part: string;
  signal: AbortSignal;
}

/**
 * @param job gets the folder and gives the finished file in it.
 * @throws RerankTuneError USAGE, FOLDER_IN_USE, NOT_WRITABLE; INTERRUPTED or TERMINATED when stopped; what the job throws.
 */
export async function inWorkFolder<Result>(
  plan: WorkPlan,
  job: (folder: string) => Promise<{ file: string; result: Result }>,
): Promise<Result> {
  const work = await openWorkFolder(plan.out, plan.identity, plan.resume);
  try {
    const { file, result } = await job(work.folder);
    await work.finish(file);
    return result;
  } catch (error) {
    const kept = (await bytesOf(join(work.folder, plan.part))) > 0;
    if (!kept) await work.discard();
    if (plan.signal.aborted) throw stopped(plan.signal, kept);
    throw kept && error instanceof RerankTuneError ? resumable(error) : error;
  } finally {
    await work.release();
  }
}

function stopped(signal: AbortSignal, kept: boolean): RerankTuneError {
  const { code, message } = interrupted(signal);
  const hint = kept
    ? "run the same command with --resume: what is done is kept"
    : "run the same command again: nothing was done yet";
  return new RerankTuneError({ code, message, hint });
}

function resumable({ code, message, hint, problems, data, cause }: RerankTuneError): RerankTuneError {
  return new RerankTuneError({ code, message, hint: `${hint}; --resume keeps what is done`, problems, data, cause });
}
