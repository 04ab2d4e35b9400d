// `registry list|show|pull|verify`: reads a local registry; publishing is a stage.
import { resolve } from "node:path";
import { RerankTuneError } from "../errors.js";
import { type Evidence, evidenceOf, type ListedModel, openRegistry, type ShownVersion } from "../registry/index.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { type CommandContext, displayPath, registryFolder } from "./context.js";
import { timeOf, trustedKeysAt } from "./trusted-keys.js";
import { evidenceLines, type SignatureFlags, verifyVersionSignature } from "./verify-signature.js";

export interface RegistryFlags {
  artifacts: string;
  registry?: string;
}

export async function listRegistry(flags: RegistryFlags): Promise<Renderable> {
  const registry = await openRegistry(resolve(registryFolder(flags)));
  const models = await registry.list();
  return {
    data: { registry: registry.root, models },
    essential: models.map(({ name }) => name).join("\n"),
    text: () => listText(models),
  };
}

function listText(models: ListedModel[]): string {
  const rows = models.flatMap(({ name, versions }) =>
    versions.map(({ digest, aliases, bytes }) => [name, digest.slice(0, 19), size(bytes), aliases.join(" ")]),
  );
  return rows.length === 0
    ? "the registry is empty"
    : columns([["model", "version", "size", "alias"], ...rows], [1, 3]).join("\n");
}

export async function showRegistry(
  reference: string,
  flags: RegistryFlags & Pick<SignatureFlags, "key" | "at">,
): Promise<Renderable> {
  const registry = await openRegistry(resolve(registryFolder(flags)));
  const shown = await registry.show(reference);
  const keys = await trustedKeysAt(flags.key ?? []);
  const found = await evidenceOf(await registry.frozen(shown.version), keys, timeOf(flags.at));
  const evidence = found.map(({ content: _content, ...item }) => item);
  return { data: { ...shown, evidence }, essential: shown.version, text: () => showText(shown, found) };
}

function showText(shown: ShownVersion, evidence: readonly Evidence[]): string {
  const files = columns(shown.files.map(({ path, bytes }) => [`  ${path}`, size(bytes)]));
  const lines = [shown.version, `alias  ${shown.aliases.join(" ") || "none"}`, "", "files", ...files];
  if (evidence.length > 0) lines.push("", "evidence", ...evidenceLines(evidence));
  if (shown.card !== undefined) lines.push("", shown.card.trimEnd());
  return lines.join("\n");
}

export async function pullFromRegistry(reference: string, target: string, flags: RegistryFlags): Promise<Renderable> {
  const pulled = await (await openRegistry(resolve(registryFolder(flags)))).pull(reference, resolve(target));
  const { version, folder, files, bytes } = pulled;
  return {
    data: pulled,
    essential: folder,
    text: () => `${version}\n${files} files, ${size(bytes)}, in ${displayPath(folder)}`,
  };
}

/** @param reference with `--signature` the version to check; without both the whole registry. */
export async function verifyRegistry(
  reference: string | undefined,
  flags: RegistryFlags & SignatureFlags,
  context: CommandContext,
): Promise<Renderable> {
  if (reference !== undefined && flags.signature === true) return await verifyVersionSignature(reference, flags);
  if (reference !== undefined || flags.signature !== undefined)
    throw new RerankTuneError({
      code: "USAGE",
      message: "A version and --signature go together: the bytes of a registry are checked as a whole.",
      hint: "`rerank-tune registry verify`, or `rerank-tune registry verify MODEL --signature --key FILE`",
    });
  const registry = await openRegistry(resolve(registryFolder(flags)));
  context.emit({ type: "phase", name: "hash blobs" });
  const report = await registry.verify((completed, total) =>
    context.emit({ type: "progress", completed, total, unit: "blobs" }),
  );
  const { blobs, bytes, versions, unused } = report;
  const left = unused === 0 ? "" : `; ${unused} blobs belong to no version`;
  return {
    data: report,
    essential: "sound",
    text: () => `sound: ${versions} versions, ${blobs} blobs, ${size(bytes)}${left}`,
  };
}
