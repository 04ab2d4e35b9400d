import { describe, expect, test } from "vitest";
import { divide, roomFor } from "../../../src/dataset/query-split.js";

describe("the room of dev", () => {
  test("is the share that is asked for, and one query at least", () => {
    expect([0, 0.1, 0.001].map((share) => roomFor(share, 250))).toEqual([0, 25, 1]);
  });

  test("left to the tool is a tenth, but forty queries where that is at most a fifth", () => {
    expect([3, 20, 100, 150, 200, 399, 400, 1000].map((total) => roomFor("auto", total))).toEqual([
      1, 4, 20, 30, 40, 40, 40, 100,
    ]);
  });

  test("counts only what may be measured on", () => {
    const numbers = Array.from({ length: 300 }, (_, at) => at);
    const sides = divide(
      numbers.map((number) => [number]),
      { dev: "auto", test: 0.1 },
      (items) => [...items],
      (number) => number >= 100,
    );
    expect([sides.train.length, sides.dev.length, sides.test.length]).toEqual([270, 20, 10]);
  });
});
