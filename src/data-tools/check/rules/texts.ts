// Rules on single texts: their length and their encoding. Each distinct text is looked at once.
import type { MetText } from "../../reading/rows.js";
import { placeOf, type Rule } from "../rule.js";

/** 512 tokens of 4 characters, the longest query that FlagEmbedding's recipe takes (training.md §1.2). */
export const LONGEST_QUERY = 2048;
/** 8,192 tokens of 4 characters: what bge-reranker-v2-m3 and its like can read at all. */
export const LONGEST_PASSAGE = 32_768;

export const overLongText: Rule = {
  name: "over_long_text",
  severity: "warning",
  about: "No reranker reads such a text to its end. Cut passages into pieces and label the piece that answers.",
  watch: (say) => ({
    text: (text) => {
      const limit = text.side === "query" ? LONGEST_QUERY : LONGEST_PASSAGE;
      if (text.text.length > limit)
        say(placeOf(text), `${text.side} of ${text.text.length} characters, more than ${limit}`);
    },
  }),
};

/** A rule that a pattern decides. */
function pattern(found: RegExp, message: string): Rule["watch"] {
  return (say) => ({
    text: (text: MetText) => {
      if (found.test(text.text)) say(placeOf(text), message);
    },
  });
}

/** More texts than this: not a stray letter, but a file in another encoding. */
const WRONG_FILE_SHARE = 0.01;

export const replacementCharacter: Rule = {
  name: "replacement_character",
  severity: "warning",
  about: "Bytes that are not UTF-8 became U+FFFD and are lost. Save the source as UTF-8 and export it again.",
  watch: (say) => {
    let [texts, found] = [0, 0];
    return {
      text: (text) => {
        texts += 1;
        if (!text.text.includes("\uFFFD")) return;
        found += 1;
        say(placeOf(text), "holds U+FFFD");
      },
      end: ({ source }) => {
        if (found > WRONG_FILE_SHARE * texts)
          say({ file: source }, `${found} of ${texts} texts hold U+FFFD: the data is not UTF-8`, { severity: "error" });
      },
    };
  },
};

/** All controls but tab, line feed and carriage return; zero-width no-break space (BOM) after the start of a file. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
export const INVISIBLE = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F\uFEFF]/;

export const invisibleCharacter: Rule = {
  name: "invisible_character",
  severity: "warning",
  about: "A NUL, another control character or a byte order mark stands inside a text. Delete it in the source.",
  watch: (say) => ({
    text: (text) => {
      const found = INVISIBLE.exec(text.text)?.[0];
      if (found === undefined) return;
      const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
      say(placeOf(text), `holds ${code === "FEFF" ? "a byte order mark (U+FEFF)" : `the control character U+${code}`}`);
    },
  }),
};

/** The bytes 80 to BF as Windows-1252 and Latin-1 show them: what follows the first byte of a UTF-8 letter. */
const FOLLOWING = "[\\u0080-\\u00BF€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]";
/** Those of them that may follow a capital of real words: quotes, dashes, a space before French punctuation. */
const PUNCTUATION = "[\\u00A0…„‘’“”–—»]";

/**
 * UTF-8 that was read as Windows-1252 or Latin-1: the idea of ftfy (Speer 2019), for the letters of Western Europe, Cyrillic,
 * typographic quotes and the byte order mark. After a capital, as in a Portuguese word in capitals, punctuation is none.
 */
const MOJIBAKE = new RegExp(
  [
    `(?<!\\p{Lu})Ã${FOLLOWING}`,
    `\\p{Lu}Ã(?!${PUNCTUATION})${FOLLOWING}`,
    "(?<!\\p{Lu})Â[\\u00A0-\\u00BF]",
    "â€[\\u0080-\\u00BF™œ˜“”¦¢ž]",
    "â‚¬",
    `[ÐÑ]${FOLLOWING}[ÐÑ]${FOLLOWING}`,
    "ï»¿",
  ].join("|"),
  "u",
);

export const mojibake: Rule = {
  name: "mojibake",
  severity: "warning",
  about: "UTF-8 was read as Windows-1252 once, so that Ã¤ stands for ä. Export the source again as UTF-8.",
  watch: pattern(MOJIBAKE, "looks like UTF-8 that was read as Windows-1252"),
};
