// A short share of the measurements in test/reliability, so that none of them rots. R1 to R3 need Linux with strace; R4 needs the right to mount and stays out.
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compileSource } from "../helpers/compiled-source.js";

const RUNNER = resolve(import.meta.dirname, "../reliability/run.mjs");
let source: Awaited<ReturnType<typeof compileSource>>;

beforeAll(async () => {
  source = await compileSource();
});
afterAll(() => source.remove());

/** Output of a measurement and what its table says. */
async function short(name: string): Promise<{ output: string; tried: number; failed: number }> {
  const args = [RUNNER, name, "--short", "--build", source.folder];
  const output = await promisify(execFile)(process.execPath, args).then(
    ({ stdout }) => stdout,
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
  const row = new RegExp(`^${name}  .*?  (\\d+) +(\\d+) +(\\d+) +\\d+$`, "m").exec(output);
  return { output, tried: Number(row?.[1] ?? 0), failed: Number(row?.[3] ?? Number.NaN) };
}

describe("a registry", () => {
  test.each([
    ["R1", "survives being killed", 25],
    ["R2", "survives a power cut that loses what was not flushed", 100],
    ["R3", "names the cause when the file system fails, and changes nothing", 8],
    ["R5", "keeps one history when many processes work at once", 3],
    ["R6", "takes over dead locks and believes live ones", 17],
    ["R7", "finds what was tampered with, and raises no false alarm", 400],
    ["R8", "does what a model of it does", 3],
  ])(
    "%s: %s",
    async (name, _, atLeast) => {
      const { output, tried, failed } = await short(name);
      expect(failed, output).toBe(0);
      expect(tried, output).toBeGreaterThanOrEqual(atLeast);
    },
    300_000,
  );
});
