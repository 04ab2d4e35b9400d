// `registry fetch`: a version of an OCI registry into the local one.
import { fetchVersion } from "../destinations/oci/fetch.js";
import type { FrozenVersion } from "../registry/index.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { type CommandContext, registryFolder } from "./context.js";
import type { RegistryFlags } from "./local-registry.js";
import { timeOf, trustedKeysAt } from "./trusted-keys.js";
import { requireSigned } from "./verify-signature.js";

export interface FetchFlags extends RegistryFlags {
  as?: string;
  /** Keys, one of which must have signed the version; otherwise it does not come in. */
  key?: string[];
  at?: string;
}

/** @throws RerankTuneError those of `fetchVersion`; SIGNATURE_INVALID, KEY_UNUSABLE. */
export async function fetchIntoRegistry(
  source: string,
  flags: FetchFlags,
  context: CommandContext,
): Promise<Renderable> {
  const { signal, emit } = context;
  const registry = registryFolder(flags);
  const place = { variables: process.env, signal, emit, now: () => new Date() };
  // Keys are read first: a wrong path must not show after gigabytes.
  const keys = await trustedKeysAt(flags.key ?? []);
  const at = timeOf(flags.at);
  let signer: string | null = null;
  const accept = async (offered: FrozenVersion): Promise<void> => {
    if (keys.length > 0) signer = (await requireSigned(offered, keys, at)).signature.signer;
  };
  const fetched = await fetchVersion(source, {
    ...place,
    registry,
    accept,
    ...(flags.as === undefined ? {} : { as: flags.as }),
  });
  const { version, name, alias, files, bytes, referrers } = fetched;
  return {
    data: { ...fetched, registry, signer },
    essential: version,
    text: () =>
      `${version}\nalias  ${name}:${alias}\n${files} files, ${size(bytes)}, and ${referrers} reports, every digest checked${signer === null ? "" : `\nas ${signer} signed it`}`,
  };
}
