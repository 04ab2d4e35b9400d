// One byte range of a request (RFC 9110, section 14), clamped to the file as the Hub's clients expect. Pure.

export interface ByteRange {
  /** First and last byte, both included. */
  start: number;
  end: number;
}

/**
 * @param header the Range header; undefined, several ranges and other units mean the whole file, as the RFC allows.
 * @param size bytes of the file.
 * @returns undefined for the whole file; `unsatisfiable` when the range begins behind the end.
 */
export function rangeOf(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(header ?? "") ?? [];
  // An empty file has no byte to send a range of; its size goes out in another way.
  if ((first === "" && last === "") || size === 0) return undefined;
  if (first === "") {
    const length = Number(last);
    return length === 0 ? "unsatisfiable" : { start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}
