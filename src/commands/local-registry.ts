// The local registry that a command works on.
import { openRegistry, type Registry } from "../registry/index.js";
import { registryFolder } from "./context.js";

export interface RegistryFlags {
  artifacts: string;
  registry?: string;
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT. */
export async function openLocal(flags: RegistryFlags): Promise<Registry> {
  return await openRegistry(registryFolder(flags));
}
