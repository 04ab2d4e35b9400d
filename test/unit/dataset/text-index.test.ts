import { describe, expect, test } from "vitest";
import { Integers } from "../../../src/dataset/integers.js";
import { TextIndex } from "../../../src/dataset/text-index.js";

describe("a text index", () => {
  test("numbers texts in the order they first come", () => {
    const index = new TextIndex();
    expect(["b", "a", "b", "", "a"].map((text) => index.add(text))).toEqual([0, 1, 0, 2, 1]);
    expect(index.size).toBe(3);
    expect(index.find("")).toBe(2);
    expect(index.find("c")).toBeUndefined();
  });

  test("keeps every number while it grows", () => {
    const index = new TextIndex();
    const texts = Array.from({ length: 20_000 }, (_, number) => `text ${number}`);
    expect(texts.map((text) => index.add(text))).toEqual(texts.map((_, number) => number));
    expect(texts.every((text, number) => index.find(text) === number)).toBe(true);
    expect(index.find("text 20000")).toBeUndefined();
  });
});

describe("a list of integers", () => {
  test("grows, and keeps 32-bit numbers of both signs", () => {
    const list = new Integers();
    for (let value = 0; value < 5000; value++) list.push(-value);
    list.set(4999, 2 ** 31 - 1);
    expect([list.length, list.at(1), list.at(4998), list.at(4999), list.at(6000)]).toEqual([
      5000,
      -1,
      -4998,
      2 ** 31 - 1,
      0,
    ]);
    expect(list.toArray()).toHaveLength(5000);
  });
});
