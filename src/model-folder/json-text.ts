// Changing members of a JSON file while all others keep their very text. Parsing and writing anew would turn 2.0 into 2, which transformers refuses where it wants a float.

/**
 * The text of a JSON object with some top-level members set, or removed where the value is undefined.
 * @param text valid JSON whose root is an object.
 */
export function withMembers(text: string, changes: Record<string, unknown>): string {
  const members = topLevelMembers(text);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) members.delete(key);
    else members.set(key, JSON.stringify(value, null, 2).replaceAll("\n", "\n  "));
  }
  const lines = [...members].map(([key, value]) => `  ${JSON.stringify(key)}: ${value}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** Member names with the text of their values. Trusts that `JSON.parse` took the text before. */
function topLevelMembers(text: string): Map<string, string> {
  const members = new Map<string, string>();
  let at = text.indexOf("{") + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0 || text.slice(at, quote).includes("}")) return members;
    const keyEnd = stringEnd(text, quote);
    const start = text.indexOf(":", keyEnd) + 1;
    const end = valueEnd(text, start);
    members.set(JSON.parse(text.slice(quote, keyEnd)) as string, text.slice(start, end).trim());
    at = end + 1;
    if (text[end] === "}") return members;
  }
}

/** Index behind the closing quote of the string that opens at `start`. */
function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Index of the comma or brace that ends the value starting at `start`. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; ; at += 1) {
    const character = text[at];
    if (character === '"') at = stringEnd(text, at) - 1;
    else if (character === "{" || character === "[") depth += 1;
    else if (depth === 0 && (character === "," || character === "}")) return at;
    else if (character === "}" || character === "]") depth -= 1;
  }
}
