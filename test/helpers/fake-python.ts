// Stand-ins for a Python interpreter: shell scripts that answer the probe, and then do as they are told.
import { chmod, writeFile } from "node:fs/promises";

/** The line of shell by which a usable interpreter answers the probe. */
export function probeAnswer(changes: Record<string, unknown> & { executable: string }): string {
  const usable = { version: [3, 12, 1], bits: 64, implementation: "cpython", freethreaded: false, missing: [] };
  return `echo 'rerank-tune:${JSON.stringify({ ...usable, ...changes })}'`;
}

export async function writeScript(path: string, body: string): Promise<string> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
  return path;
}

/** @param body lines of shell, for every call but the probe. */
export async function writeFakePython(path: string, body: string): Promise<string> {
  return await writeScript(
    path,
    `case "$*" in *ensurepip*) ${probeAnswer({ executable: path })}; exit 0;; esac\n${body}`,
  );
}
