// The cache key of a stage: equal keys mean that running it again would give the same artifact.
import { canonicalJson, hashText } from "../artifacts/hash.js";
import { isObject } from "../artifacts/json-value.js";
import type { Manifest } from "../artifacts/manifest.js";
import type { Source } from "./stage.js";

/** What decides a stage's result. */
export interface KeyParts {
  stage: string;
  version: number;
  options: unknown;
  inputs: Record<string, string>;
  sources: Record<string, string>;
  tools: Record<string, string>;
}

/** sha256 (hex) over everything that decides the result. */
export function stageKey(parts: KeyParts): string {
  return hashText(canonicalJson(parts));
}

/** Options with the paths of sources replaced by their names: a moved folder with the same content is the same input. */
export function portableOptions(options: unknown, sources: readonly Source[]): unknown {
  if (typeof options === "string")
    return sources.find(({ path }) => path === options)?.name.replace(/^/, "source:") ?? options;
  if (Array.isArray(options)) return options.map((item) => portableOptions(item, sources));
  if (options === null || typeof options !== "object") return options;
  return Object.fromEntries(Object.entries(options).map(([key, value]) => [key, portableOptions(value, sources)]));
}

/** Why a stage has to run although it ran before, in the words of the recipe: `train.learning_rate 0.00002 → 0.00003`. */
export function explainChange(before: Manifest | undefined, now: KeyParts): string {
  if (before === undefined) return "not run yet";
  if (before.version !== now.version) return `${now.stage} works differently in this release`;
  const changes = [
    ...differences(before.options, now.options, now.stage),
    ...changedNames(before.sources, now.sources).map((name) => `${name} has other content`),
    ...changedNames(before.inputs, now.inputs).map((name) => `${name} gave another result`),
    ...changedNames(before.tools, now.tools).map(
      (name) => `${name} ${before.tools[name] ?? "none"} → ${now.tools[name] ?? "none"}`,
    ),
  ];
  if (changes.length === 0) return "its artifact is gone";
  return changes.length <= 3 ? changes.join(", ") : `${changes.slice(0, 3).join(", ")} and ${changes.length - 3} more`;
}

function changedNames(before: Record<string, string>, now: Record<string, string>): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => before[name] !== now[name]);
}

function differences(before: unknown, now: unknown, path: string): string[] {
  if (canonicalJson(before) === canonicalJson(now)) return [];
  if (!isObject(before) || !isObject(now)) return [`${path} ${short(before)} → ${short(now)}`];
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.flatMap((name) => differences(before[name], now[name], `${path}.${name}`));
}

function short(value: unknown): string {
  if (value === undefined) return "unset";
  // The name that `portableOptions` puts in the place of a path says nothing to a reader.
  const text = (typeof value === "string" ? value : canonicalJson(value)).replaceAll(/"?source:[\w.]+"?/g, "a path");
  return text.length <= 40 ? text : `${text.slice(0, 37)}...`;
}
