// Texts to the token ids that training used, from the tokenizer.json that ships. Truncates; padding is the scorer's affair.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { RerankTuneError } from "../errors.js";
import type { TokenizerJson } from "../tokenization/exact-tokenizer.js";
import { pairTemplate, specialTokenCount, type TemplatePart } from "./template.js";
import { readTextIds, type TextIds } from "./text-ids.js";
import { longestFirst } from "./truncation.js";

/** Token ids of one pair with its special tokens, without padding. */
export interface EncodedPair {
  ids: number[];
  /** Segment of each token; all 0 for models without segments. */
  typeIds: number[];
  truncated: boolean;
}

/** A query with the passages to score against it. */
export interface QueryPassages {
  query: string;
  passages: readonly string[];
}

/** One text as tokens, kept by a caller that needs it twice. */
export interface TokenizedText {
  text: string;
  /** Ids without special tokens. */
  ids: readonly number[];
}

/** Encodes pairs as the Rust library does with longest-first truncation. An empty text still makes a pair, as in TEI. */
export class PairTokenizer {
  /** False when tokenizer.json has a `Precompiled` character map that the JavaScript library approximates (decision 3). */
  readonly exactNormalizer: boolean;
  private readonly specialTokens: number;

  constructor(
    private readonly textIds: TextIds,
    private readonly template: readonly TemplatePart[],
    /** Id that fills a row up; the attention mask hides it. */
    readonly padId: number,
  ) {
    this.specialTokens = specialTokenCount(template);
    this.exactNormalizer = textIds.exactNormalizer;
  }

  /** @param limit reading may stop behind the word that brings the count to this many tokens. */
  tokenize(text: string, limit?: number): TokenizedText {
    return { text, ids: this.textIds.encode(text, limit) };
  }

  /** Joins two tokenized texts by the template, cut to `maxLength` tokens in all. */
  join(query: TokenizedText, passage: TokenizedText, maxLength: number): EncodedPair {
    const kept = this.keptLengths(query, passage, maxLength);
    const truncated = kept.query < query.ids.length || kept.passage < passage.ids.length;
    const pair: EncodedPair = { ids: [], typeIds: [], truncated };
    for (const part of this.template) {
      const source = "ids" in part ? part.ids : part.side === "query" ? query.ids : passage.ids;
      const count = "ids" in part ? part.ids.length : kept[part.side];
      for (let index = 0; index < count; index++) {
        pair.ids.push(source[index] as number);
        pair.typeIds.push(part.typeId);
      }
    }
    return pair;
  }

  encodePair(query: string, passage: string, maxLength: number): EncodedPair {
    return this.join(this.tokenize(query, maxLength), this.tokenize(passage, maxLength), maxLength);
  }

  /** Encodes every passage with its query, group by group in order; a text that occurs again is tokenized once. */
  *encodeGroups(groups: Iterable<QueryPassages>, maxLength: number): Generator<EncodedPair[]> {
    const known = new Map<string, TokenizedText>();
    const tokenized = (text: string) => {
      const found = known.get(text) ?? this.tokenize(text, maxLength);
      known.set(text, found);
      return found;
    };
    for (const { query, passages } of groups) {
      const queryTokens = tokenized(query);
      yield passages.map((passage) => this.join(queryTokens, tokenized(passage), maxLength));
    }
  }

  private keptLengths(
    query: TokenizedText,
    passage: TokenizedText,
    maxLength: number,
  ): { query: number; passage: number } {
    const bothOverflow = query.ids.length >= maxLength && passage.ids.length >= maxLength;
    // The exact length of an overflowing side matters only for whom the odd token goes to, when both overflow.
    const [queryLength, passageLength] = bothOverflow
      ? ([query, passage].map(({ text }) => this.textIds.tokensRead(text, maxLength)) as [number, number])
      : [query.ids.length, passage.ids.length];
    return longestFirst(queryLength, passageLength, maxLength, this.specialTokens);
  }
}

/**
 * Opens `tokenizer.json` of a model folder for pairs. Takes nothing from tokenizer_config.json: training used tokenizer.json alone.
 * @throws RerankTuneError MODEL_NOT_FOUND when the file is missing, MODEL_UNSUPPORTED when it cannot be understood.
 */
export async function loadTokenizer(folder: string): Promise<PairTokenizer> {
  const { textIds, template, padId } = await openTokenizer(folder, pairTemplate);
  return new PairTokenizer(textIds, template, padId);
}

/**
 * What tokenizer.json of a model folder says, with one of its templates; throws as `loadTokenizer` does.
 * @param readTemplate of pairs or of single texts.
 */
export async function openTokenizer(
  folder: string,
  readTemplate: (processor: unknown) => TemplatePart[],
): Promise<{ textIds: TextIds; template: TemplatePart[]; padId: number }> {
  const path = join(folder, "tokenizer.json");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new RerankTuneError({
      code: "MODEL_NOT_FOUND",
      message: `${path} cannot be read.`,
      hint: "give a model folder with a tokenizer.json",
      cause,
    });
  });
  const json = understood(folder, () => JSON.parse(text) as TokenizerJson);
  const template = understood(folder, () => readTemplate(json.post_processor));
  return { textIds: understood(folder, () => readTextIds(json)), template, padId: await readPadId(folder) };
}

function understood<Result>(folder: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw new RerankTuneError({
      code: "MODEL_UNSUPPORTED",
      message: `${join(folder, "tokenizer.json")} cannot be used: ${(cause as Error).message}.`,
      hint: "use a base with a WordPiece, byte-level BPE or Unigram tokenizer in one tokenizer.json",
      cause,
    });
  }
}

/** The padding id of config.json; which one it is never matters to a masked token, only that the model knows it. */
async function readPadId(folder: string): Promise<number> {
  const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8").catch(() => "{}")) as {
    pad_token_id?: number | null;
  };
  return config.pad_token_id ?? 0;
}
