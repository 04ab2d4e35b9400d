// `registry fetch`: a version of an OCI registry into the local one.
import { fetchVersion } from "../destinations/oci/fetch.js";
import type { FrozenVersion } from "../registry/index.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { type CommandContext, registryFolder } from "./context.js";
import type { RegistryFlags } from "./local-registry.js";
import { type TrustFlags, trustOf } from "./trusted-keys.js";
import { requireSigned } from "./verify-signature.js";

/** With keys, one of them must have signed the version; otherwise it does not come in. */
export interface FetchFlags extends RegistryFlags, TrustFlags {
  as?: string;
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
  const trust = await trustOf(flags);
  let signer: string | null = null;
  const accept = async (offered: FrozenVersion): Promise<void> => {
    signer = (await requireSigned(offered, trust)).signature.signer;
  };
  const fetched = await fetchVersion(source, {
    ...place,
    registry,
    ...(trust.keys.length === 0 ? {} : { accept }),
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
