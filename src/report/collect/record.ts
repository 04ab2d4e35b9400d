// Records of the worker are read as JSON or not at all.

/** Undefined for what is no JSON, such as the bare NaN that Python writes. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
