// The vocabulary half of a trimming: reads the texts, trims the tokenizer, proves that every text is cut as before, measures unseen ones.
import { interrupted, RerankTuneError } from "../errors.js";
import type { StageEvent } from "../events.js";
import type { ExactTokenizer, TokenizerJson } from "../tokenization/exact-tokenizer.js";
import { type Keep, type TrimmedTokenizer, trimTokenizer } from "../tokenization/trim.js";
import { lettersOf } from "./alphabet.js";
import { exact, unknownId } from "./open-tokenizer.js";
import type { UnseenReport } from "./schema.js";
import { sameIds, type Trimming, UnseenTexts } from "./unseen.js";

/** Texts that can be read more than once, one at a time. */
export type Texts = () => AsyncIterable<string> | Iterable<string>;

export interface VocabularyOptions {
  /** Every text of production should be like one of these. */
  corpus?: Texts;
  /** Tags; texts of these languages' letters alone are cut as before too. */
  languages: readonly string[];
  keep: Keep;
  /** Also what the vocabulary is cut to; how unseen texts fare is measured on those that `corpus` lacks, without their pieces. */
  heldOut?: Texts;
  /** Texts to measure unseen ones on that the vocabulary is not cut to; in place of `heldOut`. */
  check?: Texts;
  signal: AbortSignal;
  emit(event: StageEvent): void;
}

export interface TrimmedVocabulary extends TrimmedTokenizer {
  trimming: Trimming;
  texts: number;
  tokens: number;
  unseen: UnseenReport | null;
}

/** Texts between two looks at Ctrl-C and two signs of life. */
const PACE = 2000;

/**
 * @param model folder, for messages.
 * @throws RerankTuneError MODEL_UNSUPPORTED; DATA_INVALID without texts and languages; USAGE for an unknown language; INTERRUPTED.
 */
export async function trimVocabulary(
  json: TokenizerJson,
  model: string,
  options: VocabularyOptions,
): Promise<TrimmedVocabulary> {
  const before = exact(json, model);
  const letters = lettersFor(before, options.languages);
  const trim = (used: ReadonlySet<number>): Made => {
    const trimmed = trimTokenizer(json, used, options.keep, letters);
    const after = exact(trimmed.json, model);
    const unknown = { before: unknownId(json), after: unknownId(trimmed.json) };
    return { trimmed, trimming: { before, after, kept: trimmed.kept, unknown } };
  };
  options.emit({ type: "phase", name: "read corpus" });
  const used = new Set<number>();
  const others = await distinct(options, options.heldOut);
  const texts = await eachText(options, options.corpus, (text) => {
    before.touch(text, used);
    others.delete(text);
  });
  const withoutHeldOut = options.heldOut === undefined ? undefined : trim(used).trimming;
  const more = await eachText(options, options.heldOut, (text) => before.touch(text, used));
  if (texts + more === 0 && letters === undefined) throw nothingToRead();
  const { trimmed, trimming } = trim(used);
  options.emit({ type: "phase", name: "prove ids" });
  const tokens = await proveIdentity(options, trimming, texts + more);
  const unseen = await measureUnseen(options, trimming, withoutHeldOut, others);
  return { ...trimmed, trimming, texts: texts + more, tokens, unseen };
}

interface Made {
  trimmed: TrimmedTokenizer;
  trimming: Trimming;
}

/** Also as the tokenizer spells them: without accents where it drops these. */
function lettersFor(tokenizer: ExactTokenizer, languages: readonly string[]): Set<string> | undefined {
  if (languages.length === 0) return undefined;
  const letters = lettersOf(languages);
  for (const letter of [...letters]) for (const character of tokenizer.normalized(letter)) letters.add(character);
  return letters;
}

async function eachText(
  { signal, emit }: VocabularyOptions,
  texts: Texts | undefined,
  use: (text: string) => void,
  progress: { done: number; total: number } = { done: 0, total: 0 },
): Promise<number> {
  let count = 0;
  for await (const text of texts?.() ?? []) {
    use(text);
    count += 1;
    if (count % PACE !== 0) continue;
    if (signal.aborted) throw interrupted(signal);
    const { done, total } = progress;
    if (total > 0) emit({ type: "progress", completed: done + count, total, unit: "texts" });
  }
  return count;
}

async function distinct(options: VocabularyOptions, texts: Texts | undefined): Promise<Set<string>> {
  const found = new Set<string>();
  await eachText(options, texts, (text) => found.add(text));
  return found;
}

/** @returns tokens of all texts. */
async function proveIdentity(options: VocabularyOptions, trimming: Trimming, total: number): Promise<number> {
  const { before, after, kept } = trimming;
  let tokens = 0;
  let differing = 0;
  const prove = (text: string) => {
    const found = after.encode(text);
    tokens += found.length;
    if (!sameIds(before.encode(text), found, kept)) differing += 1;
  };
  const done = await eachText(options, options.corpus, prove, { done: 0, total });
  await eachText(options, options.heldOut, prove, { done, total });
  if (differing === 0) return tokens;
  throw new RerankTuneError({
    code: "MODEL_UNSUPPORTED",
    message: `${differing} texts would be cut into other pieces by the trimmed tokenizer.`,
    hint: "use the model as it is, and report its tokenizer.json",
  });
}

/** @param others held-out texts that the corpus lacks. */
async function measureUnseen(
  options: VocabularyOptions,
  trimming: Trimming,
  withoutHeldOut: Trimming | undefined,
  others: ReadonlySet<string>,
): Promise<UnseenReport | null> {
  if (options.check === undefined && withoutHeldOut === undefined) return null;
  options.emit({ type: "phase", name: "measure unseen texts" });
  const unseen = new UnseenTexts(options.check === undefined ? (withoutHeldOut ?? trimming) : trimming);
  await eachText(options, options.check ?? (() => others), (text) => unseen.add(text));
  return unseen.report;
}

function nothingToRead(): RerankTuneError {
  return new RerankTuneError({
    code: "DATA_INVALID",
    message: "The corpus holds no text.",
    hint: "give files of texts like those of production with --corpus, or --languages",
  });
}
