// Added tokens (`<s>`, `<mask>`, …) are cut out of a text before anything else looks at it, as Rust's `added_vocabulary.rs` does.
import { literal } from "./literal.js";
import { trimWhiteSpace } from "./white-space.js";

export interface AddedToken {
  id: number;
  content: string;
  /** Only where no letter, digit or underscore stands beside it. */
  single_word: boolean;
  /** Takes the white space on its left with it. */
  lstrip: boolean;
  rstrip: boolean;
  /** Looked for in the normalized text, in its own normal form. */
  normalized: boolean;
}

/** A stretch of text, or one added token. */
export type Section = { text: string } | { id: number };

/** Finds the longest token at the leftmost place; `contents` are what to look for, in the order of `tokens`. */
export class AddedTokens {
  private readonly expression: RegExp | undefined;
  private readonly byContent: ReadonlyMap<string, AddedToken>;

  constructor(tokens: readonly AddedToken[], contents: readonly string[] = tokens.map(({ content }) => content)) {
    this.byContent = new Map(tokens.map((token, index) => [contents[index] as string, token]));
    const longestFirst = [...this.byContent.keys()].filter((content) => content !== "").sort(longerFirst);
    if (longestFirst.length > 0) this.expression = new RegExp(longestFirst.map(literal).join("|"), "g");
  }

  /** Empty stretches are left out. */
  cut(text: string): Section[] {
    const sections: Section[] = [];
    let end = 0;
    const addText = (stretch: string) => {
      if (stretch !== "") sections.push({ text: stretch });
    };
    for (const match of this.expression === undefined ? [] : text.matchAll(this.expression)) {
      const token = this.byContent.get(match[0]) as AddedToken;
      const after = match.index + match[0].length;
      if (match.index < end || (token.single_word && !standsAlone(text, match.index, after))) continue;
      const before = text.slice(end, match.index);
      addText(token.lstrip ? trimWhiteSpace(before, false, true) : before);
      sections.push({ id: token.id });
      end = token.rstrip ? text.length - trimWhiteSpace(text.slice(after), true, false).length : after;
    }
    addText(text.slice(end));
    return sections;
  }
}

function standsAlone(text: string, start: number, end: number): boolean {
  return (
    !/[\p{L}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u.test(text.slice(0, start)) &&
    !/^[\p{L}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u.test(text.slice(end))
  );
}

function longerFirst(left: string, right: string): number {
  return right.length - left.length;
}
