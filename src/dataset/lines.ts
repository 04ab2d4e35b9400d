// Lines of a stream of bytes. Not node:readline: it also breaks lines at U+2028 and U+2029, which JSON allows inside a text.
import type { Readable } from "node:stream";

/** Lines without their ends (LF or CRLF); a failing stream fails the loop. */
export async function* linesOf(input: Readable): AsyncGenerator<string> {
  input.setEncoding("utf8");
  let rest = "";
  for await (const chunk of input) {
    const pieces = `${rest}${chunk as string}`.split("\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) yield piece.endsWith("\r") ? piece.slice(0, -1) : piece;
  }
  if (rest !== "") yield rest.endsWith("\r") ? rest.slice(0, -1) : rest;
}
