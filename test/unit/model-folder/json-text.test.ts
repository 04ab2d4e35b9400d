import { describe, expect, test } from "vitest";
import { withMembers } from "../../../src/model-folder/json-text.js";

describe("changing members of a JSON text", () => {
  test("keeps the text of every other number", () => {
    const text = withMembers('{"a": 2.0, "b": {"c": [1e-12, 1.50]}, "d": 1}', { d: 5 });
    expect(text).toContain('"a": 2.0');
    expect(text).toContain('{"c": [1e-12, 1.50]}');
    expect(JSON.parse(text)).toEqual({ a: 2, b: { c: [1e-12, 1.5] }, d: 5 });
  });

  test("sets, adds and removes", () => {
    expect(JSON.parse(withMembers('{"a":1,"b":2}', { a: { x: [] }, b: undefined, c: null }))).toEqual({
      a: { x: [] },
      c: null,
    });
  });

  test.each([
    "{}",
    " { } ",
    '{"a":{}}',
    '{"a":"}, \\" {","b":"\\\\"}',
    '{"a":[[],{"b":"]"}],"c":[]}',
    '{"k\\"1":true,"é":"ü"}',
  ])("changes nothing in %s but spaces", (text) => {
    expect(JSON.parse(withMembers(text, {}))).toEqual(JSON.parse(text));
  });
});
