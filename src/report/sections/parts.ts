// Building blocks of the page: sections, tables, figures. They lay out what they are given and know no report.
import { type Content, html, type Markup } from "../../page/markup.js";

/** A section with a heading and a sentence that says how to read it. */
export function section(id: string, heading: string, introduction: Content, body: Content): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-heading"><h2 id="${id}-heading">${heading}</h2>
<p class="introduction">${introduction}</p>
${body}</section>
`;
}

/** A section whose content is missing: the sentence that says why. */
export const missingSection = (id: string, heading: string, sentence: string): Markup =>
  html`<section id="${id}" class="missing" aria-labelledby="${id}-heading"><h2 id="${id}-heading">${heading}</h2><p>${sentenceWithCode(sentence)}</p></section>
`;

export interface TableOptions {
  /** Said by screen readers and shown above the table where `shown`. */
  caption: string;
  shown?: boolean;
  head: readonly string[];
  rows: readonly (readonly Content[])[];
  /** Columns of words, aligned to the left like the first. */
  left?: readonly number[];
  /** Row that stands out. */
  strong?: number;
}

/** The first cell of a row names it. Wide tables scroll inside their own box. */
export function table({ caption, shown = false, head, rows, left = [], strong }: TableOptions): Markup {
  const style = (column: number) => (column === 0 || left.includes(column) ? "word" : "number");
  const cells = (row: readonly Content[]) =>
    row.map((cell, column) =>
      column === 0 ? html`<th scope="row">${cell}</th>` : html`<td class="${style(column)}">${cell}</td>`,
    );
  return html`<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table>
<caption class="${shown ? "shown" : "unseen"}">${caption}</caption>
<thead><tr>${head.map((name, column) => html`<th scope="col" class="${style(column)}">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row, index) => html`<tr${index === strong ? STRONG : undefined}>${cells(row)}</tr>\n`)}</tbody></table></div>`;
}

const STRONG = html` class="strong"`;

/** A chart under its heading, with its numbers below, or beside it where it stands alone and the page is wide. */
export const figure = (chart: Markup, heading: string, numbers: Content, alone = false): Markup =>
  html`<figure class="${alone ? "alone" : "shared"}"><div><h3>${heading}</h3>${chart}</div><figcaption>${numbers}</figcaption></figure>
`;

/** Figures side by side where the page is wide enough, to be compared. */
export const sideBySide = (figures: Content): Markup => html`<div class="figures">${figures}</div>`;

/** A sentence in which what can be typed stands between backticks. */
export const sentenceWithCode = (text: string): Content =>
  text.split("`").map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : piece));

/** Numbers that take much room: folded away on screen, open in print. */
export const folded = (summary: string, content: Content): Markup =>
  html`<details><summary>${summary}</summary>${content}</details>`;

/** `first stage`, `no significant gain`: identifiers as words. */
export const words = (name: string): string => name.replaceAll("_", " ");
