// Finds the destination that `--to` names. Each kind of place is a folder beside this file and one entry in the list.
import { RerankTuneError } from "../errors.js";
import type { Destination } from "./destination.js";

export type { Destination, DestinationContext, PreparedRelease, Release, ReleasePlan } from "./destination.js";

/** Loaded when asked for, so that nothing pays for a place it does not go to. */
const DESTINATIONS: Readonly<Record<string, () => Promise<Destination>>> = {
  folder: async () => (await import("./folder/index.js")).folderDestination,
  hub: async () => (await import("./hub/index.js")).hubDestination(),
  oci: async () => (await import("./oci/index.js")).ociDestination(),
  "oci+http": async () => (await import("./oci/index.js")).ociDestination({}, "oci+http"),
};

/**
 * @param target such as `hub:org/name`.
 * @throws RerankTuneError USAGE when its scheme is not known.
 */
export async function destinationOf(target: string, known = DESTINATIONS): Promise<Destination> {
  const scheme = target.split(":")[0] ?? "";
  const load = Object.hasOwn(known, scheme) ? known[scheme] : undefined;
  if (load !== undefined && target.includes(":")) return await load();
  const forms = await Promise.all(Object.values(known).map(async (entry) => (await entry()).form));
  throw new RerankTuneError({
    code: "USAGE",
    message: `${JSON.stringify(target)} is no place that a version can be released to.`,
    hint: `write --to ${forms.join(", or --to ")}`,
  });
}
