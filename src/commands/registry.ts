// `registry list|show|pull|verify`: reads a local registry; publishing is a stage.
import { resolve } from "node:path";
import { type ListedModel, openRegistry, type ShownVersion } from "../registry/index.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { type CommandContext, displayPath, registryFolder } from "./context.js";

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

export async function showRegistry(reference: string, flags: RegistryFlags): Promise<Renderable> {
  const shown = await (await openRegistry(resolve(registryFolder(flags)))).show(reference);
  return { data: shown, essential: shown.version, text: () => showText(shown) };
}

function showText(shown: ShownVersion): string {
  const files = columns(shown.files.map(({ path, bytes }) => [`  ${path}`, size(bytes)]));
  const reports = shown.reports.map(({ artifact_type, digest }) => `  ${artifact_type}  ${digest.slice(0, 19)}`);
  const lines = [shown.version, `alias  ${shown.aliases.join(" ") || "none"}`, "", "files", ...files];
  if (reports.length > 0) lines.push("", "reports", ...reports);
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

export async function verifyRegistry(flags: RegistryFlags, context: CommandContext): Promise<Renderable> {
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
