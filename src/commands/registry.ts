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
import { type TrustFlags, trustOf } from "./trusted-keys.js";
import { evidenceLines, type SignatureFlags, signedVersion, verifyVersionSignature } from "./verify-signature.js";

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

export async function showRegistry(reference: string, flags: RegistryFlags & TrustFlags): Promise<Renderable> {
  const registry = await openLocal(flags);
  const shown = await registry.show(reference);
  const { keys, at } = await trustOf(flags);
  const found = await evidenceOf(await registry.frozen(shown.version), keys, at);
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

/** With keys, one of them must have signed the version before a file is written. */
export interface PullFlags extends TrustFlags {
  /** Read the written files again. */
  verify?: boolean;
}

export interface VerifyFlags extends RegistryFlags, SignatureFlags {
  /** sha256 of a line of the log that was noted elsewhere. */
  head?: string;
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, NOT_WRITABLE, SIGNATURE_INVALID, KEY_UNUSABLE, REGISTRY_CORRUPT: nothing is written then. */
export async function pullFromRegistry(
  reference: string,
  target: string,
  flags: RegistryFlags & PullFlags,
): Promise<Renderable> {
  const registry = await openLocal(flags);
  const signed = (flags.key ?? []).length === 0 ? undefined : await signedVersion(registry, reference, flags);
  // By digest once it was checked: the alias may move meanwhile.
  const options = { reread: flags.verify === true };
  const pulled = await registry.pull(signed?.version.version ?? reference, resolve(target), options);
  const { version, folder, files, bytes, reread } = pulled;
  const checked = reread ? "; every file reads back as it was published" : "";
  const signer = signed?.signature.signer ?? null;
  const by = signer === null ? "" : `\nas ${signer} signed it`;
  return {
    data: signed === undefined ? pulled : { ...pulled, signer },
    essential: folder,
    text: () => `${version}\n${files} files, ${size(bytes)}, in ${displayPath(folder)}${checked}${by}`,
  };
}

/** @param reference with `--signature` the version to check; without both the whole registry. */
export async function verifyRegistry(
  reference: string | undefined,
  flags: VerifyFlags,
  context: CommandContext,
): Promise<Renderable> {
  const ofVersion = reference !== undefined && flags.signature === true && flags.head === undefined;
  if (ofVersion) return await verifyVersionSignature(reference, flags);
  if (reference !== undefined || flags.signature !== undefined)
    throw new RerankTuneError({
      code: "USAGE",
      message: "A version and --signature go together: bytes and log of a registry are checked as a whole.",
      hint: "`rerank-tune registry verify`, or `rerank-tune registry verify MODEL --signature --key FILE`",
    });
  const noted = notedHead(flags);
  const registry = await openLocal(flags);
  context.emit({ type: "phase", name: "hash blobs" });
  const report = await registry.verify({
    ...noted,
    onBlob: (completed, total) => context.emit({ type: "progress", completed, total, unit: "blobs" }),
  });
  return { data: report, essential: "sound", text: () => soundText(report) };
}

/** @throws RerankTuneError USAGE when it is no sha256: a shortened one proves little. */
function notedHead({ head }: VerifyFlags): { notedHead?: string } {
  if (head === undefined) return {};
  const [, notedHead] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(head.trim().toLowerCase()) ?? [];
  if (notedHead !== undefined) return { notedHead };
  throw new RerankTuneError({
    code: "USAGE",
    message: "--head takes the 64 hex digits that `rerank-tune registry verify` printed.",
    hint: "without --head it prints those of today",
  });
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
  const log = report.log_head === null ? [] : [`log: ${plural(report.log_lines, "line")}, head`, report.log_head];
  return [first, ...log, ...notes.map((note) => `note: ${note}`)].join("\n");
}
