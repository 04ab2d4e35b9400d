// Whether CUDA really computes here: a graph of one matrix product, run by that provider in a child process, its result and its profile looked at. Neither nvidia-smi nor listSupportedBackends() can say that (onnx.md §8).
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { providerShares, sharesText } from "../../inference/provider-shares.js";
import { type Finding, failure, ok } from "../check.js";

/** ONNX, IR 8, opset 17: y = x · [[1, 2], [3, 4]], x and y of 1 × 2 float32. */
const PRODUCT =
  "CAgSADphChEKAXgKAXcSAXkiBk1hdE11bBIFcHJvYmUqGwgCCAIQAUIBd0oQAACAPwAAAEAAAEBAAACAQFoTCgF4Eg4KDAgBEggKAggBCgIIAmITCgF5Eg4KDAgBEggKAggBCgIIAkIECgAQEQ==";
const INPUT = [5, 7];
const EXPECTED = [26, 38];

const SCRIPT = `
const [entry, provider, model, input, prefix, result] = process.argv.slice(1);
const { InferenceSession, Tensor } = require(entry);
(async () => {
  const settings = { executionProviders: [provider], enableProfiling: true, profileFilePrefix: prefix };
  const session = await InferenceSession.create(Buffer.from(model, "base64"), settings);
  const x = new Tensor("float32", Float32Array.from(JSON.parse(input)), [1, 2]);
  const { y } = await session.run({ x });
  session.endProfiling();
  require("node:fs").writeFileSync(result, JSON.stringify([...y.data]));
})().catch((error) => { process.stderr.write(String(error.message)); process.exitCode = 1; });
`;

export type SessionProvider = "cuda" | "cpu";
const PROVIDER_NAMES: Record<SessionProvider, string> = { cuda: "CUDAExecutionProvider", cpu: "CPUExecutionProvider" };

/**
 * @param entry module file of onnxruntime-node.
 * @param provider `cpu` tells whether the test itself works.
 */
export async function checkSession(entry: string, provider: SessionProvider, signal: AbortSignal): Promise<Finding> {
  const folder = await mkdtemp(join(tmpdir(), "rerank-tune-session-"));
  try {
    const [profile, answer] = [join(folder, "profile"), join(folder, "result.json")];
    const args = ["-e", SCRIPT, entry, provider, PRODUCT, JSON.stringify(INPUT), profile, answer];
    const result = await execa(process.execPath, args, {
      cwd: folder,
      reject: false,
      stdin: "ignore",
      timeout: 120_000,
      cancelSignal: signal,
    });
    signal.throwIfAborted();
    if (result.exitCode === 0) return await judge(await readFile(answer, "utf8"), provider, folder);
    const why = lastLine(result.stderr) ?? result.signal ?? `exit code ${result.exitCode}`;
    return failure(`no ${provider} session can be opened: ${why}`, REMEDY);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const REMEDY = "see the libraries above, and `nvidia-smi` for the driver; scoring goes on on the CPU until this works";

async function judge(output: string, provider: SessionProvider, folder: string): Promise<Finding> {
  if (output !== JSON.stringify(EXPECTED))
    return failure(`a ${provider} session computes ${output} where ${JSON.stringify(EXPECTED)} is right`, REMEDY);
  const profile = (await readdir(folder)).find((name) => name.startsWith("profile"));
  if (profile === undefined) return failure(`a ${provider} session left no profile to look at`, REMEDY);
  const found = providerShares(await readFile(join(folder, profile), "utf8"));
  // ONNX Runtime gives to the CPU, in silence, what a provider does not take.
  if ((found.shares[PROVIDER_NAMES[provider]] ?? 0) === 0)
    return failure(`a ${provider} session opens, but its nodes ran on: ${sharesText(found)}`, REMEDY);
  return ok(`a ${provider} session computes (nodes: ${sharesText(found)})`);
}

/** ONNX Runtime's messages are long and end with what matters. */
function lastLine(text: string): string | undefined {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .at(-1)
    ?.slice(0, 500);
}
