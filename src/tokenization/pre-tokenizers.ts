// The `pre_tokenizer` of a tokenizer.json as one function, in the kinds that Unigram and WordPiece tokenizers have.
import { literal } from "./literal.js";
import { PUNCTUATION } from "./unicode-8.js";
import { splitAtWhiteSpace } from "./white-space.js";

/**
 * Cuts one section of a normalized text into words.
 * @param atStart whether the section begins the text: a `Metaspace` with the scheme `first` marks only that one.
 */
export type PreTokenize = (section: string, atStart: boolean) => string[];

interface PreTokenizerJson {
  type: string;
  pretokenizers?: PreTokenizerJson[];
  replacement?: string;
  add_prefix_space?: boolean;
  prepend_scheme?: "always" | "first" | "never";
  split?: boolean;
}

/** @returns undefined for a kind that is not understood here. */
export function readPreTokenizer(json: unknown): PreTokenize | undefined {
  return read(json as PreTokenizerJson | null);
}

function read(json: PreTokenizerJson | null): PreTokenize | undefined {
  switch (json?.type) {
    case undefined:
      return (section) => [section];
    case "Sequence":
      return sequence((json.pretokenizers ?? []).map(read));
    case "WhitespaceSplit":
      return splitAtWhiteSpace;
    case "BertPreTokenizer":
      return (section) => splitAtWhiteSpace(section).flatMap(wordsAndPunctuation);
    case "Metaspace":
      return metaspace(json);
    default:
      return undefined;
  }
}

function sequence(steps: readonly (PreTokenize | undefined)[]): PreTokenize | undefined {
  if (!steps.every((step) => step !== undefined)) return undefined;
  return (section, atStart) =>
    steps.reduce<string[]>(
      (words, step) => words.flatMap((word, index) => step(word, atStart && index === 0)),
      [section],
    );
}

const AROUND_PUNCTUATION = new RegExp(`([${PUNCTUATION}])`, "u");

function wordsAndPunctuation(text: string): string[] {
  return text.split(AROUND_PUNCTUATION).filter((word) => word !== "");
}

/** Spaces become a mark, the text begins with one, and each mark begins a word. */
function metaspace({
  replacement = "▁",
  add_prefix_space,
  prepend_scheme,
  split = true,
}: PreTokenizerJson): PreTokenize {
  const scheme = prepend_scheme ?? (add_prefix_space === false ? "never" : "always");
  const cut = new RegExp(`(?=${literal(replacement)})`, "u");
  return (section, atStart) => {
    const marked = section.replaceAll(" ", replacement);
    const begun = marked.startsWith(replacement) || scheme === "never" || (scheme === "first" && !atStart);
    const text = begun || marked === "" ? marked : replacement + marked;
    return split ? text.split(cut) : [text];
  };
}
