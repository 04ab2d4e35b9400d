// The cache folder of the tool on this machine: Python environments, onnxruntime-node, downloaded bases. Results never live here.
import { homedir } from "node:os";
import { join, resolve } from "node:path";

/**
 * `RERANK_TUNE_HOME`, else the platform's cache folder: `$XDG_CACHE_HOME` or `~/.cache`, `~/Library/Caches`, `%LOCALAPPDATA%`.
 * @returns an absolute path; the folder need not exist.
 */
export function homeFolder(
  variables: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const { RERANK_TUNE_HOME: chosen, XDG_CACHE_HOME: xdg, LOCALAPPDATA: local } = variables;
  if (chosen) return resolve(chosen);
  if (platform === "win32") return join(local || join(homedir(), "AppData", "Local"), "rerank-tune", "Cache");
  if (platform === "darwin") return join(homedir(), "Library", "Caches", "rerank-tune");
  return join(xdg || join(homedir(), ".cache"), "rerank-tune");
}
