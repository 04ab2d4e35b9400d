// `registry fetch`: a version of an OCI registry into the local one.
import { fetchVersion } from "../destinations/oci/fetch.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { type CommandContext, registryFolder } from "./context.js";
import type { RegistryFlags } from "./local-registry.js";

export interface FetchFlags extends RegistryFlags {
  as?: string;
}

/** @throws RerankTuneError those of `fetchVersion`. */
export async function fetchIntoRegistry(
  source: string,
  flags: FetchFlags,
  context: CommandContext,
): Promise<Renderable> {
  const { signal, emit } = context;
  const registry = registryFolder(flags);
  const place = { variables: process.env, signal, emit, now: () => new Date() };
  const fetched = await fetchVersion(source, {
    ...place,
    registry,
    ...(flags.as === undefined ? {} : { as: flags.as }),
  });
  const { version, name, alias, files, bytes, referrers } = fetched;
  return {
    data: { ...fetched, registry },
    essential: version,
    text: () =>
      `${version}\nalias  ${name}:${alias}\n${files} files, ${size(bytes)}, and ${referrers} reports, every digest checked`,
  };
}
