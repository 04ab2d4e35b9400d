// `--to folder:PATH`: a copy of a version in another registry of this format, such as on a shared disk. It shares no bytes with this one.
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { requireSpace } from "../../artifacts/disk-space.js";
import { RerankTuneError } from "../../errors.js";
import { type FrozenVersion, openRegistry } from "../../registry/index.js";
import type { Destination, DestinationContext, PreparedRelease, Release } from "../destination.js";

const SCHEME = "folder";

export const folderDestination: Destination = {
  scheme: SCHEME,
  form: `${SCHEME}:PATH`,
  description: "another registry of this format in a folder, such as on a shared disk",
  prepare,
};

async function prepare(target: string, version: FrozenVersion, context: DestinationContext): Promise<PreparedRelease> {
  const path = target.slice(SCHEME.length + 1);
  if (path === "")
    throw new RerankTuneError({
      code: "USAGE",
      message: "The folder is missing.",
      hint: "write folder:PATH, such as folder:/mnt/share/registry",
    });
  const folder = resolve(path);
  const aliases = version.aliases.length === 0 ? ["latest"] : version.aliases;
  const bytes = await missingBytes(folder, version);
  await requireSpace(folder, bytes);
  const plan = {
    target,
    version: version.version,
    steps: [
      {
        does: `copy the files (${version.files.length}) and reports (${version.referrers.length}) to ${folder}`,
        bytes,
      },
      {
        does: `set ${aliases.map((alias) => `${version.name}:${alias}`).join(", ")} there, with a line in its history`,
      },
    ],
    bytes,
    notes: ["the mirror is a registry of its own: its history says what came when; nothing there is removed"],
  };
  return { plan, carryOut: () => carryOut(target, folder, aliases, version, context) };
}

async function carryOut(
  target: string,
  folder: string,
  aliases: readonly string[],
  version: FrozenVersion,
  { now }: DestinationContext,
): Promise<Release> {
  const registry = await openRegistry(folder, { create: true });
  const [first = "latest", ...others] = aliases;
  const imported = await registry.importVersion({
    name: version.name,
    aliases: [first, ...others],
    digest: version.digest,
    referrers: version.referrers.map(({ descriptor }) => descriptor.digest),
    source: (digest) => version.blob(digest),
    reason: "mirror",
    now: now(),
  });
  return {
    target,
    version: version.version,
    address: folder,
    revision: imported.digest,
    files: version.files.length,
    bytes_sent: imported.bytes_added,
    use: [`rerank-tune registry pull ${version.version} ./model --registry ${folder}`],
  };
}

/** What the mirror does not hold yet; nothing is made there for looking. */
async function missingBytes(folder: string, version: FrozenVersion): Promise<number> {
  let bytes = 0;
  for (const { sha256, bytes: size } of version.files) {
    const found = await stat(resolve(folder, "blobs", "sha256", sha256)).catch(() => undefined);
    if (found?.size !== size) bytes += size;
  }
  return bytes;
}
