// Is there a Python, is the pinned environment built, and does the worker answer a real job in it?
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPython } from "../../environment/find-python.js";
import { WORKER_FILE } from "../../environment/package-root.js";
import { findReadyEnvironment } from "../../environment/python-environment.js";
import { RerankTuneError } from "../../errors.js";
import { PROTOCOL_VERSION, type WorkerJob } from "../../worker/protocol.js";
import { runJob } from "../../worker/run-job.js";
import { type Check, type CheckContext, type Finding, failure, ok, warning } from "../check.js";

export const pythonCheck: Check = {
  name: "python",
  run: async (context) => {
    const ready = await findReadyEnvironment(context.home);
    if (ready === undefined) return [await interpreter(), notBuilt()];
    const { stamp, folder, executable } = ready;
    const built = ok(`Python environment with Python ${stamp.python} and torch ${stamp.torch} in ${folder}`);
    return [built, await worker(executable, context)];
  },
};

async function interpreter(): Promise<Finding> {
  try {
    const python = await findPython();
    return ok(`${python.command} is Python ${python.version}`);
  } catch (error) {
    if (!(error instanceof RerankTuneError)) throw error;
    const tried = error.problems.map(({ path, message }) => `${path}: ${message}`).join("; ");
    return failure(`${error.message} (${tried})`, error.hint);
  }
}

function notBuilt(): Finding {
  return warning(
    "the Python environment is not built yet; the first run does it",
    "run `rerank-tune env` to build it now",
  );
}

async function worker(executable: string, context: CheckContext): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), "rerank-tune-doctor-"));
  try {
    const job: WorkerJob = {
      v: PROTOCOL_VERSION,
      id: "doctor",
      kind: "describe",
      out_dir: folder,
      inputs: {},
      options: {},
    };
    const runtime = { executable, worker: WORKER_FILE, variables: {} };
    const { outputs } = await runJob({
      runtime,
      job,
      recordsDir: folder,
      signal: context.signal,
      emit: () => undefined,
    });
    const { threads, cpu_bf16, cuda, cuda_device } = outputs;
    const device = cuda === true ? `GPU ${String(cuda_device)}` : "CPU";
    return ok(`the worker answers: ${device}, ${String(threads)} threads${cpu_bf16 === true ? ", bf16 on CPU" : ""}`);
  } catch (error) {
    if (!(error instanceof RerankTuneError) || context.signal.aborted) throw error;
    const last = error.problems.at(-1)?.message;
    return failure(`${error.message}${last === undefined ? "" : ` ${last}`}`, "run `rerank-tune env --rebuild`");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
