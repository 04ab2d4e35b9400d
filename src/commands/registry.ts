// `registry list|show|pull|verify`: reads a local registry; publishing is a stage.
import { resolve } from "node:path";
import { RerankTuneError } from "../errors.js";
import {
  type Evidence,
  evidenceOf,
  type ListedModel,
  type RegistryReport,
  type ShownVersion,
  type Storage,
} from "../registry/index.js";
import { shortDigest } from "../registry/reference.js";
import { plural, size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { type CommandContext, displayPath } from "./context.js";
import { openLocal, type RegistryFlags } from "./local-registry.js";
import { timeOf, trustedKeysAt } from "./trusted-keys.js";
import { evidenceLines, type SignatureFlags, verifyVersionSignature } from "./verify-signature.js";

export async function listRegistry(flags: RegistryFlags): Promise<Renderable> {
  const registry = await openLocal(flags);
  const { models, storage, protected: rules } = await registry.inventory();
  return {
    data: { registry: registry.root, models, storage, protected: rules },
    essential: models.map(({ name }) => name).join("\n"),
    text: () => listText(models, storage, new Set(Object.keys(rules))),
  };
}

function listText(models: ListedModel[], storage: Storage, guarded: ReadonlySet<string>): string {
  const shown = (name: string, alias: string) => (guarded.has(`${name}:${alias}`) ? `${alias}*` : alias);
  const rows = models.flatMap(({ name, versions }) =>
    versions.map(({ digest, aliases, bytes }) => [
      name,
      shortDigest(digest),
      size(bytes),
      aliases.map((alias) => shown(name, alias)).join(" "),
    ]),
  );
  if (rows.length === 0) return "the registry is empty";
  const { file_bytes, stored_bytes } = storage;
  const saved = file_bytes === 0 ? 0 : Math.round((100 * (file_bytes - stored_bytes)) / file_bytes);
  const total = `${size(file_bytes)} of files, stored in ${size(stored_bytes)} (${saved} % saved)`;
  const note = guarded.size === 0 ? [] : ["* protected"];
  return [...columns([["model", "version", "size", "alias"], ...rows], [1, 3]), "", total, ...note].join("\n");
}

export async function showRegistry(
  reference: string,
  flags: RegistryFlags & Pick<SignatureFlags, "key" | "at">,
): Promise<Renderable> {
  const registry = await openLocal(flags);
  const shown = await registry.show(reference);
  const keys = await trustedKeysAt(flags.key ?? []);
  const found = await evidenceOf(await registry.frozen(shown.version), keys, timeOf(flags.at));
  const evidence = found.map(({ content: _content, ...item }) => item);
  return { data: { ...shown, evidence }, essential: shown.version, text: () => showText(shown, found) };
}

function showText(shown: ShownVersion, evidence: readonly Evidence[]): string {
  const files = columns(shown.files.map(({ path, bytes }) => [`  ${path}`, size(bytes)]));
  const { bytes, own_bytes } = shown.storage;
  const lines = [
    shown.version,
    `alias  ${shown.aliases.join(" ") || "none"}`,
    `size   ${size(bytes)}, ${size(own_bytes)} of it in no other version`,
    "",
    "files",
    ...files,
  ];
  if (evidence.length > 0) lines.push("", "evidence", ...evidenceLines(evidence));
  if (shown.card !== undefined) lines.push("", shown.card.trimEnd());
  return lines.join("\n");
}

export interface PullFlags {
  /** Read the written files again. */
  verify?: boolean;
}

export async function pullFromRegistry(
  reference: string,
  target: string,
  flags: RegistryFlags & PullFlags,
): Promise<Renderable> {
  const registry = await openLocal(flags);
  const pulled = await registry.pull(reference, resolve(target), { reread: flags.verify === true });
  const { version, folder, files, bytes, reread } = pulled;
  const checked = reread ? "; every file reads back as it was published" : "";
  return {
    data: pulled,
    essential: folder,
    text: () => `${version}\n${files} files, ${size(bytes)}, in ${displayPath(folder)}${checked}`,
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
  const registry = await openLocal(flags);
  context.emit({ type: "phase", name: "hash blobs" });
  const report = await registry.verify((completed, total) =>
    context.emit({ type: "progress", completed, total, unit: "blobs" }),
  );
  return { data: report, essential: "sound", text: () => soundText(report) };
}

function soundText(report: RegistryReport): string {
  const { blobs, bytes, versions, unused, uncommitted_log_bytes: uncommitted, quarantined_bytes: aside } = report;
  const notes = [
    ...(unused === 0
      ? []
      : [`${plural(unused, "blob")} in no version; \`rerank-tune registry collect\` sets them aside`]),
    ...(uncommitted === 0 ? [] : [`${size(uncommitted)} of the log were never committed: a writer was interrupted`]),
    ...(aside === 0 ? [] : [`${size(aside)} set aside by collection, not hashed`]),
  ];
  const first = `sound: ${plural(versions, "version")}, ${plural(blobs, "blob")}, ${size(bytes)}`;
  return [first, ...notes.map((note) => `note: ${note}`)].join("\n");
}
