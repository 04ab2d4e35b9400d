import { expect, test } from "vitest";
import { rangeOf } from "../../../src/serve/range.js";

test.each([
  ["bytes=0-0", { start: 0, end: 0 }],
  ["bytes=0-9", { start: 0, end: 9 }],
  ["bytes=0-10", { start: 0, end: 9 }], // hf-hub's last range ends one behind the end
  ["bytes=4-999999999999", { start: 4, end: 9 }],
  ["bytes=9-", { start: 9, end: 9 }],
  ["bytes=-3", { start: 7, end: 9 }],
  ["bytes=-30", { start: 0, end: 9 }],
  ["bytes=10-", "unsatisfiable"],
  ["bytes=10-12", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=5-4", undefined],
  ["bytes=0-1,4-5", undefined],
  ["bytes=-", undefined],
  ["lines=0-1", undefined],
  ["bytes=a-b", undefined],
  ["bytes=0-99999999999999999999", undefined],
  [undefined, undefined],
])("%s of ten bytes", (header, expected) => {
  expect(rangeOf(header, 10)).toEqual(expected);
});

test("an empty file has no range", () => {
  expect(rangeOf("bytes=0-0", 0)).toBeUndefined();
});
