// The `normalizer` of a tokenizer.json as one function, in the kinds that Unigram and WordPiece tokenizers have.
import { type BertNormalizerJson, bertNormalizer } from "./bert-normalizer.js";
import { CharacterMap } from "./character-map.js";
import { lowerCase } from "./lower-case.js";
import { trimWhiteSpace, WHITE_SPACE } from "./white-space.js";

export type Normalize = (text: string) => string;

interface NormalizerJson extends BertNormalizerJson {
  type: string;
  normalizers?: NormalizerJson[];
  precompiled_charsmap?: string;
  pattern?: Pattern;
  content?: string;
  prepend?: string;
  strip_left?: boolean;
  strip_right?: boolean;
}
type Pattern = { String: string } | { Regex: string };

/** @returns undefined for a kind that is not understood here. */
export function readNormalizer(json: unknown): Normalize | undefined {
  return read(json as NormalizerJson | null);
}

function read(json: NormalizerJson | null): Normalize | undefined {
  switch (json?.type) {
    case undefined:
      return (text) => text;
    case "Sequence":
      return sequence((json.normalizers ?? []).map(read));
    case "Precompiled":
      return precompiled(json.precompiled_charsmap ?? "");
    case "Replace":
      return replace(json.pattern as Pattern, json.content ?? "");
    case "Prepend":
      return (text) => (text === "" ? text : (json.prepend ?? "") + text);
    case "Strip":
      return (text) => trimWhiteSpace(text, json.strip_left ?? true, json.strip_right ?? true);
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form = json.type;
      return (text) => text.normalize(form);
    }
    case "StripAccents":
      return (text) => text.replace(/\p{M}/gu, "");
    case "Lowercase":
      return lowerCase;
    case "BertNormalizer":
      return bertNormalizer(json);
    default:
      return undefined;
  }
}

function sequence(steps: readonly (Normalize | undefined)[]): Normalize | undefined {
  if (!steps.every((step) => step !== undefined)) return undefined;
  return (text) => steps.reduce((normalized, step) => step(normalized), text);
}

/** An empty map, as some converters write, maps nothing. */
function precompiled(base64: string): Normalize {
  if (base64 === "") return (text) => text;
  const map = new CharacterMap(base64);
  return (text) => map.normalize(text);
}

/** @returns undefined for an expression that JavaScript would read otherwise. */
function replace(pattern: Pattern, content: string): Normalize | undefined {
  if ("String" in pattern) return (text) => text.replaceAll(pattern.String, () => content);
  const expression = readExpression(pattern.Regex);
  return expression === undefined ? undefined : (text) => text.replace(expression, () => content);
}

/** Rust's regular expressions (Oniguruma) mean Unicode by `\s`, `\w`, `\d` and `\b`; JavaScript means less, or other characters. */
function readExpression(source: string): RegExp | undefined {
  const plain = source.replaceAll("\\s", `[${WHITE_SPACE}]`);
  if (/\\[SwWdDbBhHRXKGAzZpPk]|\(\?/.test(plain) || /\[[^\]]*\\s/.test(source)) return undefined;
  try {
    return new RegExp(plain, "gu");
  } catch {
    return undefined;
  }
}
