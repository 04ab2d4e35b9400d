// A tokenizer with fewer pieces that cuts the texts it was trimmed on as before: pieces nobody used leave, ids close ranks. Pure.
import type { AddedToken } from "./added-tokens.js";
import type { TokenizerJson } from "./exact-tokenizer.js";

/** `characters` keeps every piece of one character, so that unseen words can still be spelled; `used` keeps what the texts need. */
export const KEEPS = ["characters", "used"] as const;
export type Keep = (typeof KEEPS)[number];

export interface TrimmedTokenizer {
  json: TokenizerJson;
  /** The old id of each new one, ascending: the rows that stay of the embedding table. */
  kept: number[];
}

type UnigramVocab = [piece: string, score: number][];
type WordPieceVocab = Record<string, number>;

/**
 * Trims a Unigram or WordPiece tokenizer.
 *
 * The best path over the pieces that stay is the old one, as all its pieces stay and every path left was there before. The score of an
 * unknown character hangs on the worst piece, so that piece stays too.
 * @param used ids that the texts need (`ExactTokenizer.touch`).
 * @param letters where given, every piece stays whose letters and marks are all among these: a text of such letters alone is then cut
 * as before, whether it was among the texts or not, since no piece that could stand in it is gone.
 * @throws Error for another model.
 */
export function trimTokenizer(
  json: TokenizerJson,
  used: ReadonlySet<number>,
  keep: Keep,
  letters?: ReadonlySet<string>,
): TrimmedTokenizer {
  const pieces = piecesOf(json);
  const wanted = new Set(used);
  for (const { id } of json.added_tokens ?? []) wanted.add(id);
  for (const id of alwaysKept(json)) wanted.add(id);
  if (keep === "characters") for (const [piece, id] of pieces) if (isOneCharacter(piece)) wanted.add(id);
  if (letters !== undefined) for (const [piece, id] of pieces) if (isWrittenWith(letters, piece)) wanted.add(id);
  const kept = [...wanted].sort((left, right) => left - right);
  const newIds = new Map(kept.map((old, id) => [old, id]));
  return { json: withIds(json, newIds), kept };
}

function piecesOf({ model }: TokenizerJson): [piece: string, id: number][] {
  if (model.type === "Unigram") return (model.vocab as UnigramVocab).map(([piece], id) => [piece, id]);
  if (model.type === "WordPiece") return Object.entries(model.vocab as WordPieceVocab);
  throw new Error(`a ${String(model.type)} tokenizer cannot be trimmed`);
}

/** The unknown piece, the worst one, and the pieces of bytes. */
function alwaysKept({ model }: TokenizerJson): number[] {
  if (model.type === "WordPiece") {
    const id = (model.vocab as WordPieceVocab)[model.unk_token as string];
    return id === undefined ? [] : [id];
  }
  const vocab = model.vocab as UnigramVocab;
  const worst = vocab.reduce((least, [, score], id) => (score < (vocab[least]?.[1] ?? Infinity) ? id : least), 0);
  const bytes = vocab.flatMap(([piece], id) => (/^<0x[0-9A-F]{2}>$/.test(piece) ? [id] : []));
  return [worst, ...(typeof model.unk_id === "number" ? [model.unk_id] : []), ...(model.byte_fallback ? bytes : [])];
}

function isOneCharacter(piece: string): boolean {
  const bare = piece.replace(/^(?:▁|##)(?=.)/u, "");
  return bare.length <= 2 && Array.from(bare).length === 1;
}

/** Digits, punctuation and symbols belong to every language. */
function isWrittenWith(letters: ReadonlySet<string>, piece: string): boolean {
  for (const character of piece) if (/[\p{L}\p{M}]/u.test(character) && !letters.has(character)) return false;
  return true;
}

function withIds(json: TokenizerJson, newIds: ReadonlyMap<number, number>): TokenizerJson {
  const { model, added_tokens: added = [] } = json;
  return {
    ...json,
    added_tokens: added.map((token: AddedToken) => ({ ...token, id: newIds.get(token.id) as number })),
    post_processor: renumbered(json.post_processor, newIds),
    model: model.type === "Unigram" ? trimmedUnigram(model, newIds) : trimmedWordPiece(model, newIds),
  };
}

function trimmedUnigram(model: TokenizerJson["model"], newIds: ReadonlyMap<number, number>): TokenizerJson["model"] {
  const vocab = (model.vocab as UnigramVocab).filter((_, id) => newIds.has(id));
  return { ...model, vocab, unk_id: newIds.get(model.unk_id as number) ?? null };
}

function trimmedWordPiece(model: TokenizerJson["model"], newIds: ReadonlyMap<number, number>): TokenizerJson["model"] {
  const kept = Object.entries(model.vocab as WordPieceVocab).flatMap(([piece, id]) => {
    const renamed = newIds.get(id);
    return renamed === undefined ? [] : [[piece, renamed] as const];
  });
  return { ...model, vocab: Object.fromEntries(kept) };
}

/** Ids of a post-processor stand in `ids` lists and, for the built-in kinds, behind a token in `cls` and `sep`. */
function renumbered(value: unknown, newIds: ReadonlyMap<number, number>): unknown {
  if (Array.isArray(value)) return value.map((item) => renumbered(item, newIds));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const isIds = key === "ids" || ((key === "cls" || key === "sep") && Array.isArray(item));
      return [key, isIds ? (item as unknown[]).map((id) => newId(id, newIds)) : renumbered(item, newIds)];
    }),
  );
}

function newId(id: unknown, newIds: ReadonlyMap<number, number>): unknown {
  return typeof id === "number" ? (newIds.get(id) ?? id) : id;
}
