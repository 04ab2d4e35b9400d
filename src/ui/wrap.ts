// Breaks long lines at words, so that a narrow terminal does not break them anywhere. Pipes and files get them whole.
import { Help } from "commander";

const help = new Help();

/**
 * @param columns width of the terminal; undefined leaves the text as it is.
 * @param indent spaces before every line but the first.
 */
export function wrapText(text: string, columns: number | undefined, indent = 0): string {
  // The last column stays free: some terminals wrap when it is written.
  if (columns === undefined) return text;
  return help.boxWrap(text, columns - 1 - indent).replaceAll("\n", `\n${" ".repeat(indent)}`);
}
