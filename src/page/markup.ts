// HTML and SVG text in which every value is escaped by construction. Knows nothing of what is shown.

/** Text that is markup already; only `html` makes it. */
export interface Markup {
  readonly markup: string;
}
/** What may stand in a template: plain values are escaped, nothing shows for undefined, null and false. */
export type Content = string | number | Markup | undefined | null | false | readonly Content[];

/** Template tag for elements. Values go between elements or into quoted attributes. */
export function html(strings: TemplateStringsArray, ...values: Content[]): Markup {
  return { markup: strings.reduce((all, text, index) => all + render(values[index - 1]) + text) };
}

/** Text of our own that must not be escaped, such as a style sheet. Never give it data. */
export const trusted = (text: string): Markup => ({ markup: text });

function render(content: Content): string {
  if (content === undefined || content === null || content === false) return "";
  if (typeof content === "number") return String(content);
  if (typeof content === "string") return escapeText(content);
  return "markup" in content ? content.markup : content.map(render).join("");
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Escapes for elements and for attributes in either quotes. Control characters, which HTML forbids, become a replacement mark. */
export function escapeText(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
    .replace(/[\p{Cc}\p{Cs}]/gu, (character) => (/[\t\n\r]/.test(character) ? " " : "\uFFFD"));
}
