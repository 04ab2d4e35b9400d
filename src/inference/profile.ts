// Runs one batch under ONNX Runtime's profiler and says which execution providers took the nodes.
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunRequest } from "./messages.js";
import { type ProviderShares, providerShares } from "./provider-shares.js";
import { type OpenOptions, ScorerChild } from "./scorer-child.js";

const PROFILE = "profile";

/**
 * In a process of its own, because profiling slows scoring down.
 * @throws RerankTuneError as `ScorerChild.open`; SCORER_FAILED.
 */
export async function measureProviderShares(
  batch: Omit<RunRequest, "type" | "id" | "padId">,
  padId: number,
  options: Omit<OpenOptions, "profilePrefix">,
): Promise<ProviderShares> {
  const folder = await mkdtemp(join(tmpdir(), "rerank-tune-profile-"));
  try {
    const { child } = await ScorerChild.open({ ...options, profilePrefix: join(folder, PROFILE) });
    try {
      await child.run({ ...batch, padId });
      await child.endProfile();
    } finally {
      await child.close();
    }
    const name = (await readdir(folder)).find((file) => file.startsWith(PROFILE)) ?? PROFILE;
    return providerShares(await readFile(join(folder, name), "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
