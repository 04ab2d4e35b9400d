// Does onnxruntime-node load? Asked in a child process, because a native library can take the process down.
import { execa } from "execa";
import { findOnnxRuntime, onnxRuntimeVersion } from "../../environment/onnxruntime.js";
import { type Check, type Finding, failure, ok, warning } from "../check.js";

export const runtimeCheck: Check = {
  name: "onnxruntime-node",
  run: async ({ home }) => {
    const entry = findOnnxRuntime({ home });
    return [entry === undefined ? notFetched() : await loads(entry)];
  },
};

function notFetched(): Finding {
  return warning(
    `onnxruntime-node ${onnxRuntimeVersion()} is not here yet; the first run fetches it`,
    "run `rerank-tune env` to fetch it now",
  );
}

async function loads(entry: string): Promise<Finding> {
  const script =
    "const { InferenceSession } = require(process.argv[1]); if (typeof InferenceSession.create !== 'function') process.exitCode = 1";
  const result = await execa(process.execPath, ["-e", script, entry], {
    reject: false,
    stdin: "ignore",
    timeout: 60_000,
  });
  if (result.exitCode === 0) return ok(`onnxruntime-node ${onnxRuntimeVersion()} loads`);
  const why =
    result.stderr.split("\n").find((line) => /Error|error/.test(line)) ??
    result.signal ??
    `exit code ${result.exitCode}`;
  return failure(
    `onnxruntime-node at ${entry} does not load: ${why}`,
    "remove its folder and run `rerank-tune env`; on Linux it needs glibc 2.28 or newer",
  );
}
