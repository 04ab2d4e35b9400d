// A section of a page that is one table.
import { type Content, html, type Markup } from "../../page/markup.js";

/** `word` stands left, as words do; numbers stand right. */
export interface Column {
  title: string;
  word: boolean;
}

export const word = (title: string): Column => ({ title, word: true });
export const number = (title: string): Column => ({ title, word: false });

/** @param rows whole `tr` elements. */
export function tableSection(title: string, columns: readonly Column[], rows: readonly Content[]): Markup {
  const heads = columns.map((column) =>
    column.word ? html`<th scope="col" class="word">${column.title}</th>` : html`<th scope="col">${column.title}</th>`,
  );
  return html`<section><h2>${title}</h2><div class="scroll"><table>
<thead><tr>${heads}</tr></thead>
<tbody>${rows}</tbody></table></div></section>`;
}
