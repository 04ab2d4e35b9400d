// What a text or value is as JSON, where being none is an answer and no fault.

export type JsonObject = Record<string, unknown>;

/** Undefined for what is no JSON, such as the bare NaN that Python writes; the caller, or its schema, says what is missing. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
