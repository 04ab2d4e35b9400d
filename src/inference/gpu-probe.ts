// Whether a provider really works here: tried in a child process on the model itself. A list of compiled-in providers says nothing (onnx.md §8).
import { RerankTuneError } from "../errors.js";
import type { Provider } from "./messages.js";
import { type OpenOptions, ScorerChild } from "./scorer-child.js";

export interface Probe {
  works: boolean;
  /** Why not, in one line. */
  reason?: string;
}

/**
 * Opens the model with the provider in a process of its own, so that even a native abort only means no.
 * @throws RerankTuneError INTERRUPTED or TERMINATED on abort; never because the provider is missing.
 */
export async function probeProvider(
  provider: Provider,
  options: Omit<OpenOptions, "provider" | "threads">,
): Promise<Probe> {
  try {
    const { child } = await ScorerChild.open({ ...options, provider, threads: 0 });
    await child.close();
    return { works: true };
  } catch (error) {
    if (error instanceof RerankTuneError && error.code === "SCORER_FAILED")
      return { works: false, reason: error.message };
    throw error;
  }
}
