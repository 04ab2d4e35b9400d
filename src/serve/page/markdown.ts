// A card's Markdown as elements of the page. A card can come from anywhere: raw HTML and pictures stay text, and no style or script gets in.
import MarkdownIt, { type Token } from "markdown-it";
import { type Markup, trusted } from "../../page/markup.js";

/** The page has headings of its own above these. */
const DEEPER = 2;
const DEEPEST = 6;

const reader = new MarkdownIt({ html: false, linkify: false }).disable("image");
reader.core.ruler.push("as part of the page", ({ tokens }) => {
  for (const token of tokens) settle(token);
  for (const token of tokens.flatMap(({ children }) => children ?? []))
    if (token.type === "link_open") token.attrSet("rel", "noopener noreferrer nofollow");
});
reader.renderer.rules.table_open = () => '<div class="scroll"><table>\n';
reader.renderer.rules.table_close = () => "</table></div>\n";

/** Elements in which every text of `markdown` is escaped; markdown-it refuses links to scripts and data. */
export function markdownElements(markdown: string): Markup {
  return trusted(reader.render(markdown));
}

function settle(token: Token): void {
  if (token.type.startsWith("heading_")) token.tag = `h${Math.min(DEEPEST, Number(token.tag.slice(1)) + DEEPER)}`;
  // The page's content policy takes no style attributes; numbers stand right in its tables, texts left by a class.
  if (token.type !== "th_open" && token.type !== "td_open") return;
  const right = String(token.attrGet("style")).includes("right");
  token.attrs = right ? null : [["class", "word"]];
}
