// The `BertNormalizer` of WordPiece tokenizers, as `normalizers/bert.rs` of tokenizers 0.23 does it.
import { lowerCase } from "./lower-case.js";
import { CHINESE, NONSPACING_MARKS, REMOVED } from "./unicode-8.js";
import { WHITE_SPACE } from "./white-space.js";

export interface BertNormalizerJson {
  clean_text?: boolean;
  handle_chinese_chars?: boolean;
  /** Null: as `lowercase` says. */
  strip_accents?: boolean | null;
  lowercase?: boolean;
}

const NOT_TEXT = new RegExp(`[${REMOVED}]`, "gu");
const SPACES = new RegExp(`[${WHITE_SPACE}]`, "gu");
const IDEOGRAPH = new RegExp(`[${CHINESE}]`, "gu");
const MARK = new RegExp(`[${NONSPACING_MARKS}]`, "gu");

export function bertNormalizer(json: BertNormalizerJson): (text: string) => string {
  const { clean_text = true, handle_chinese_chars = true, strip_accents, lowercase = true } = json;
  const steps = [
    clean_text && ((text: string) => text.replace(NOT_TEXT, "").replace(SPACES, " ")),
    handle_chinese_chars && ((text: string) => text.replace(IDEOGRAPH, " $& ")),
    (strip_accents ?? lowercase) && ((text: string) => text.normalize("NFD").replace(MARK, "")),
    lowercase && lowerCase,
  ].filter((step) => step !== false);
  return (text) => steps.reduce((normalized, step) => step(normalized), text);
}
