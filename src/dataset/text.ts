// Turns a text into search terms and comparison keys, for any script. Not the model's tokenizer.

/** Scripts written without spaces; their words are approximated by character pairs, as in Lucene's CJKBigramFilter. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const RUN = new RegExp(`${UNSPACED.source}+|[^${UNSPACED.source.slice(1, -1)}]+`, "gu");
/** Accents of Latin, Greek and Cyrillic; the vowel signs of other scripts carry meaning and stay. */
const ACCENTS = /[\u0300-\u036f]/g;
const BEYOND_ASCII = /[^\p{ASCII}]/u;

/** Lower-case words without accents; unspaced scripts give overlapping character pairs. */
export function terms(text: string): string[] {
  const plain = BEYOND_ASCII.test(text)
    ? text.normalize("NFKD").replace(ACCENTS, "").normalize("NFC").toLowerCase()
    : text.toLowerCase();
  const words = plain.match(WORD) ?? [];
  return UNSPACED.test(plain) ? words.flatMap(splitUnspaced) : words;
}

/** Equal for texts that differ only in case, accents, punctuation or spacing; a text without any word is its own key. */
export function normalisedKey(text: string): string {
  return terms(text).join(" ") || text.trim();
}

function splitUnspaced(word: string): string[] {
  return (word.match(RUN) ?? []).flatMap((run) => (UNSPACED.test(run) ? characterPairs(run) : [run]));
}

function characterPairs(run: string): string[] {
  const characters = Array.from(run);
  if (characters.length < 2) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}
