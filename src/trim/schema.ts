// The recipe's section `trim`, and the report of a trimming: plain data, for the stage, the package, the report page.
import { z } from "zod";
import { KEEPS } from "../tokenization/trim.js";

export const trimSchema = z.strictObject({
  corpus: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .optional()
    .describe(
      "More texts like those of production, one file or several: JSON lines (every string counts) or plain lines, .gz or not. Relative to the recipe. The texts of all splits always count.",
    ),
  languages: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      "Language tags, such as [de, en]. Every piece stays that is written with the letters of these languages alone (Unicode CLDR, exemplar characters), so that all texts of such letters are cut as before, new ones too.",
    ),
  keep: z
    .enum(KEEPS)
    .default("characters")
    .describe(
      "Beyond what the texts and languages need: `characters` also keeps every piece of one character, so that new words are spelled and not unknown; `used` keeps nothing.",
    ),
});
export type TrimSection = z.infer<typeof trimSchema>;

const counts = z.object({ before: z.int(), after: z.int() });

/** How texts fare that the vocabulary was not cut to. Holds no text. */
const unseenSchema = z.object({
  texts: z.int(),
  /** Texts that the trimmed tokenizer cuts into other pieces. */
  cut_otherwise: z.int(),
  /** Tokens of all these texts. */
  tokens: counts,
  /** Texts with more unknown pieces than before: something in them can no longer be told apart. */
  more_unknown: z.int(),
});
export type UnseenReport = z.infer<typeof unseenSchema>;

export const trimReportSchema = z.object({
  pieces: counts,
  /** Bytes of all files of weights. */
  weights: counts,
  /** Texts whose ids are the old ones, renumbered: all of them. */
  texts: z.int(),
  tokens: z.int(),
  /** Tags, as they were given. */
  languages: z.array(z.string()),
  /** Letters by script that the old tokenizer had a piece for, and those of them that are unknown now. */
  letters: z.array(z.object({ script: z.string(), known: z.int(), lost: z.int() })),
  /** Null where no texts were given for it. */
  unseen: unseenSchema.nullable(),
  /** Files of the old vocabulary that the new folder does without. */
  left_out: z.array(z.string()),
});
export type TrimReport = z.infer<typeof trimReportSchema>;
