// OpenVINO beside the packages of an environment that is there, for `quantize.openvino`.
import { createWriteStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { lockedRequirements } from "./lock-file.js";
import { OPENVINO_LOCK_FILE } from "./package-root.js";
import { installBeside, type StepOptions } from "./pip.js";

const LOG_NAME = "openvino.log";
/** Folder in the environment; python/rerank_tune_worker/quantization/openvino_runtime.py looks there. */
const FOLDER = "openvino";

/** Fetches it where its version is not there yet. @throws RerankTuneError ENVIRONMENT_BROKEN, DISK_FULL; nothing half fetched stays. */
export async function addOpenvino(options: StepOptions): Promise<void> {
  const target = join(options.folder, FOLDER);
  if (isThere(target)) return;
  const log = {
    stream: createWriteStream(join(options.folder, LOG_NAME)),
    name: LOG_NAME,
    again: "rerank-tune env --openvino",
  };
  try {
    options.emit({ type: "phase", name: "fetch OpenVINO" });
    await rm(target, { recursive: true, force: true });
    await installBeside(options, log, FOLDER, OPENVINO_LOCK_FILE);
  } catch (error) {
    await rm(target, { recursive: true, force: true });
    throw error;
  } finally {
    await new Promise((resolve) => log.stream.end(resolve));
  }
}

/** pip moves a package's own folder into place after its files. */
function isThere(target: string): boolean {
  return lockedRequirements(OPENVINO_LOCK_FILE).every((line) =>
    existsSync(join(target, `${line.replace("==", "-")}.dist-info`)),
  );
}
