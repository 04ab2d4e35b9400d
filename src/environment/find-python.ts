// Finds a Python that can carry the worker: 3.11 to 3.14, 64 bit, with venv and ensurepip. Starts interpreters, installs nothing.
import { execa } from "execa";
import { RerankTuneError } from "../errors.js";

export const PYTHON_MINORS = { oldest: 11, newest: 14 } as const;

/** A usable interpreter. */
export interface FoundPython {
  /** What was typed to find it, such as `python3` or `py -3`. */
  command: string;
  /** Absolute path of the interpreter itself. */
  executable: string;
  /** Such as `3.11`. */
  minor: string;
  /** Such as `3.11.7`. */
  version: string;
}

/** An interpreter that was tried and why it cannot be used. */
export interface RejectedPython {
  command: string;
  reason: string;
}

/** Answers in one tagged line, because a `sitecustomize` may print too. */
const PROBE = `
import importlib.util, json, struct, sys
print("rerank-tune:" + json.dumps({
  "executable": sys.executable, "version": list(sys.version_info[:3]), "bits": struct.calcsize("P") * 8,
  "implementation": sys.implementation.name, "freethreaded": "free-threading" in sys.version,
  "missing": [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]}))
`;

interface ProbeAnswer {
  executable: string;
  version: [number, number, number];
  bits: number;
  implementation: string;
  freethreaded: boolean;
  missing: string[];
}

/**
 * The first usable interpreter among RERANK_TUNE_PYTHON (then nothing else), python3, python, python3.14 to python3.11, and `py -3` on Windows.
 * @throws RerankTuneError PYTHON_NOT_FOUND with one problem a rejected candidate.
 */
export async function findPython(variables: NodeJS.ProcessEnv = process.env): Promise<FoundPython> {
  const rejected: RejectedPython[] = [];
  for (const command of candidates(variables)) {
    const result = await probe(command, variables);
    if ("executable" in result) return result;
    rejected.push(result);
  }
  throw notFound(rejected);
}

function candidates(variables: NodeJS.ProcessEnv): string[][] {
  if (variables.RERANK_TUNE_PYTHON) return [[variables.RERANK_TUNE_PYTHON]];
  const { oldest, newest } = PYTHON_MINORS;
  const versioned = Array.from({ length: newest - oldest + 1 }, (_, index) => [`python3.${newest - index}`]);
  const launcher = process.platform === "win32" ? [["py", "-3"]] : [];
  return [["python3"], ["python"], ...versioned, ...launcher];
}

async function probe(command: string[], variables: NodeJS.ProcessEnv): Promise<FoundPython | RejectedPython> {
  const [file = "", ...first] = command;
  const name = command.join(" ");
  // -I: neither the user's PYTHON* variables nor the current folder may change what is imported.
  const result = await execa(file, [...first, "-I", "-c", PROBE], {
    reject: false,
    timeout: 20_000,
    env: variables,
    extendEnv: false,
    stdin: "ignore",
  });
  const line = result.stdout?.split("\n").find((text) => text.startsWith("rerank-tune:"));
  if (line === undefined) return { command: name, reason: whyNoAnswer(result) };
  const answer = JSON.parse(line.slice("rerank-tune:".length)) as ProbeAnswer;
  const reason = whyUnfit(answer);
  if (reason !== undefined) return { command: name, reason };
  const [major, minor] = answer.version;
  return {
    command: name,
    executable: answer.executable,
    minor: `${major}.${minor}`,
    version: answer.version.join("."),
  };
}

function whyNoAnswer(result: { code?: string; timedOut: boolean; exitCode?: number; stderr?: string }): string {
  if (result.code === "ENOENT") return "not installed";
  if (result.timedOut) return "did not answer within 20 seconds";
  const last = result.stderr?.trim().split("\n").at(-1) ?? "";
  return `could not be started (${last || (result.code ?? `exit code ${result.exitCode ?? "none"}`)})`.slice(0, 200);
}

function whyUnfit(answer: ProbeAnswer): string | undefined {
  const [major, minor] = answer.version;
  const version = answer.version.join(".");
  if (major !== 3 || minor < PYTHON_MINORS.oldest || minor > PYTHON_MINORS.newest)
    return `is Python ${version}; ${supportedVersions()} are supported`;
  if (answer.implementation !== "cpython") return `is ${answer.implementation}; only CPython is supported`;
  if (answer.freethreaded) return `is the free-threaded build of Python ${version}, which the pinned packages lack`;
  if (answer.bits !== 64) return `is a ${answer.bits}-bit Python; PyTorch needs 64 bit`;
  if (answer.missing.length > 0) return `is Python ${version} without ${answer.missing.join(" and ")}`;
  return undefined;
}

function supportedVersions(): string {
  return `3.${PYTHON_MINORS.oldest} to 3.${PYTHON_MINORS.newest}`;
}

function notFound(rejected: RejectedPython[]): RerankTuneError {
  const withoutVenv = rejected.find(({ reason }) => reason.includes(" without "));
  const problems = rejected.map(({ command, reason }) => ({ path: command, message: reason }));
  if (withoutVenv !== undefined)
    return new RerankTuneError({
      code: "PYTHON_NOT_FOUND",
      message: `${withoutVenv.command} ${withoutVenv.reason}, so no environment can be made with it.`,
      hint: `install the missing module, on Debian and Ubuntu \`sudo apt install python3-venv\`, then run the same command again`,
      problems,
    });
  return new RerankTuneError({
    code: "PYTHON_NOT_FOUND",
    message: `No usable Python was found: ${supportedVersions()} (64 bit, with venv) is needed.`,
    hint: `${installHint()}, or set RERANK_TUNE_PYTHON to the path of a Python ${supportedVersions()}`,
    problems,
  });
}

function installHint(): string {
  if (process.platform === "darwin") return "install one, such as `brew install python@3.13`";
  if (process.platform === "win32") return "install one, such as `winget install Python.Python.3.13`";
  return "install one, such as `sudo apt install python3 python3-venv`";
}
