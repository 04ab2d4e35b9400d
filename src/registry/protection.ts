// Which aliases only a passing version may hold. Kept as an annotation of index.json, so that it changes in the same commit as the log. Pure.
import { z } from "zod";
import { jsonOf } from "../artifacts/json-value.js";
import { RerankTuneError } from "../errors.js";
import type { OciIndex } from "./format.js";

/** JSON object from `name:alias` to its rule, with sorted keys. */
export const PROTECTED_ALIASES = "rerank-tune.protected";

/** `passed`: every gate has to pass. `not_failed`: a gate whose test split is too small to tell may stay open. */
export const GATE_RULES = ["passed", "not_failed"] as const;
export type GateRule = (typeof GATE_RULES)[number];

const schema = z.record(z.string(), z.enum(GATE_RULES));

/** `name:alias` to rule. @throws RerankTuneError REGISTRY_CORRUPT: protection that cannot be read protects nothing. */
export function protectedAliases(index: OciIndex): Record<string, GateRule> {
  const text = index.annotations?.[PROTECTED_ALIASES];
  if (text === undefined) return {};
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: "index.json does not say readably which aliases are protected.",
    hint: "restore index.json and reflog.ndjson from a backup, both of the same time",
  });
}

/** The index with an alias protected by `rule`, or free where it is undefined. */
export function withProtection(index: OciIndex, name: string, alias: string, rule: GateRule | undefined): OciIndex {
  const { [`${name}:${alias}`]: _, ...others } = protectedAliases(index);
  const rules = rule === undefined ? others : { ...others, [`${name}:${alias}`]: rule };
  const { [PROTECTED_ALIASES]: _before, ...annotations } = index.annotations ?? {};
  const names = Object.keys(rules).sort();
  if (names.length === 0) return { ...index, annotations };
  const sorted = Object.fromEntries(names.map((key) => [key, rules[key]]));
  return { ...index, annotations: { ...annotations, [PROTECTED_ALIASES]: JSON.stringify(sorted) } };
}
