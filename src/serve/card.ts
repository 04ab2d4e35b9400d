// The model card of a version: its metadata block and its text. A card that cannot be read is shown as it is, without metadata.
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import type { FoundVersion } from "./library.js";

export interface Card {
  metadata: Readonly<Record<string, unknown>>;
  /** What stands below the metadata. */
  text: string;
}

/** Larger ones are not read into memory. */
const MOST_BYTES = 1 << 20;

const metadataSchema = z.record(z.string(), z.unknown());

/** @returns undefined when the version has no README.md of a card's size. */
export async function cardOf({ files }: FoundVersion): Promise<Card | undefined> {
  const file = files.find(({ path }) => path === "README.md");
  if (file === undefined || file.bytes > MOST_BYTES) return undefined;
  const text = await readFile(file.blob, "utf8").catch(() => undefined);
  return text === undefined ? undefined : splitCard(text);
}

export function splitCard(text: string): Card {
  const [block, yaml = ""] = /^---\r?\n([\s\S]*?)\r?\n---\r?\n/.exec(text) ?? [];
  if (block === undefined) return { metadata: {}, text };
  const parsed = metadataSchema.safeParse(readYaml(yaml));
  return parsed.success
    ? { metadata: parsed.data, text: text.slice(block.length).trimStart() }
    : { metadata: {}, text };
}

/** Aliases in YAML can make a small text huge; a card has none. */
function readYaml(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 0, logLevel: "error" }) as unknown;
  } catch {
    return undefined;
  }
}

/** A metadata field that is a text. */
export function textField({ metadata }: Card, name: string): string | undefined {
  const value = metadata[name];
  return typeof value === "string" ? value : undefined;
}

/** A metadata field that is a list of texts, or one text. */
export function listField({ metadata }: Card, name: string): string[] {
  const value = metadata[name];
  return (Array.isArray(value) ? value : [value]).filter((entry): entry is string => typeof entry === "string");
}
