// A card as elements: readable, and harmless whatever it holds.
import { describe, expect, test } from "vitest";
import { markdownElements } from "../../../src/serve/page/markdown.js";

const elements = (markdown: string) => markdownElements(markdown).markup;

describe("a card's Markdown", () => {
  test("has headings below those of the page, and tables that scroll without style attributes", () => {
    expect(elements("# Name\n\n##### Deep")).toBe("<h3>Name</h3>\n<h6>Deep</h6>\n");
    const table = elements("| a | b |\n| --- | ---: |\n| x | 1 |");
    expect(table).toMatch(/^<div class="scroll"><table>[\s\S]*<\/table><\/div>\n$/);
    expect(table).toContain('<td class="word">x</td>\n<td>1</td>');
    expect(table).not.toContain("style=");
  });

  test.each([
    ["raw HTML", "<script>alert(1)</script> <b onclick=x>b</b>", /<script|<b /],
    ["a picture", "![p](https://example.org/p.png)", /<img/],
    ["a link to a script", "[go](javascript:alert(1))", /href/],
    ["a link to data", "[go](data:text/html,x)", /href/],
    ["a text that closes an element", "a </div></section> b", /<\/div>/],
  ])("keeps %s a text", (_, markdown, element) => {
    expect(elements(markdown)).not.toMatch(element);
  });

  test("links out without a trace of where from", () => {
    expect(elements("[a](https://example.org/?x=1&y=2)")).toBe(
      '<p><a href="https://example.org/?x=1&amp;y=2" rel="noopener noreferrer nofollow">a</a></p>\n',
    );
  });
});
