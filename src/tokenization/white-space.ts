// White space as Rust's `char::is_whitespace` has it. JavaScript's `\s` counts U+FEFF and leaves out U+0085.

/** For a character class of a regular expression. */
export const WHITE_SPACE =
  "\\u0009-\\u000d\\u0020\\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const LEADING = new RegExp(`^[${WHITE_SPACE}]+`);
const TRAILING = new RegExp(`[${WHITE_SPACE}]+$`);
const BETWEEN = new RegExp(`[${WHITE_SPACE}]+`);

export function trimWhiteSpace(text: string, left: boolean, right: boolean): string {
  const trimmed = left ? text.replace(LEADING, "") : text;
  return right ? trimmed.replace(TRAILING, "") : trimmed;
}

/** The words between white space; none for white space alone. */
export function splitAtWhiteSpace(text: string): string[] {
  return text.split(BETWEEN).filter((word) => word !== "");
}
