import { describe, expect, test } from "vitest";
import { EMPTY_INDEX } from "../../../src/registry/format.js";
import { holdings, replay, versionsBefore } from "../../../src/registry/history.js";
import { protectedAliases, withProtection } from "../../../src/registry/protection.js";
import type { ReflogLine } from "../../../src/registry/reflog.js";

/** Moves of m:prod, a day apart; `<x` is a rollback to x. */
function moves(...to: string[]): ReflogLine[] {
  return to.map((target, day) => ({
    time: `2026-01-0${day + 1}T00:00:00.000Z`,
    actor: "a",
    name: "m",
    alias: "prod",
    from: null,
    to: target.replace("<", ""),
    reason: "r",
    ...(target.startsWith("<") ? { event: "rollback" as const } : {}),
    previous: null,
  }));
}

describe("what a rollback goes back to", () => {
  test.each([
    [["a"], []],
    [["a", "b"], ["a"]],
    [
      ["a", "b", "c"],
      ["a", "b"],
    ],
    [["a", "b", "c", "<b"], ["a"]],
    [["a", "b", "c", "<b", "<a"], []],
    [["a", "b", "c", "<a", "d"], ["a"]],
    [
      ["a", "b", "<x"],
      ["a", "b"],
    ],
    [["a", "b", "a"], ["b"]],
  ])("after %j is %j", (to, before) => {
    expect(versionsBefore(moves(...to), "m", "prod")).toEqual(before);
  });

  test("is what the alias held last where it was taken away", () => {
    const taken = (lines: ReflogLine[]) => lines.map((line) => (line.to === "-" ? { ...line, to: null } : line));
    expect(versionsBefore(taken(moves("a", "b", "-")), "m", "prod")).toEqual(["a", "b"]);
    expect(versionsBefore(taken(moves("a", "b", "-", "<b")), "m", "prod")).toEqual(["a"]);
    expect(versionsBefore(taken(moves("a", "-", "c")), "m", "prod")).toEqual(["a"]);
  });

  test("is that of the alias alone", () => {
    expect(versionsBefore(moves("a", "b"), "m", "latest")).toEqual([]);
    expect(versionsBefore(moves("a", "b"), "n", "prod")).toEqual([]);
  });
});

test("an alias holds one version at a time", () => {
  expect(holdings(moves("a", "b"), "m", "prod")).toEqual([
    { digest: "a", from: "2026-01-01T00:00:00.000Z", until: "2026-01-02T00:00:00.000Z" },
    { digest: "b", from: "2026-01-02T00:00:00.000Z", until: null },
  ]);
});

test("the log leads to aliases, versions and protection", () => {
  const [first] = moves("a");
  if (first === undefined) throw new Error("no line");
  const state = replay([
    first,
    { ...first, to: "b" },
    { ...first, event: "protect" },
    { ...first, alias: "staging", event: "protect" },
    { ...first, alias: "staging", event: "unprotect" },
    { ...first, alias: null, event: "remove", from: "a", to: null },
    { ...first, alias: null, event: "attach", from: "b", to: "b" },
  ]);
  expect(state).toEqual({
    aliases: new Map([["m:prod", "b"]]),
    versions: new Set(["m@b"]),
    protected: new Set(["m:prod"]),
  });
});

describe("protection in the index", () => {
  test("is sorted and goes without a trace", () => {
    const one = withProtection(EMPTY_INDEX, "m", "prod", "passed");
    const two = withProtection(one, "a", "prod", "not_failed");
    expect(two.annotations).toEqual({ "rerank-tune.protected": '{"a:prod":"not_failed","m:prod":"passed"}' });
    expect(protectedAliases(two)).toEqual({ "a:prod": "not_failed", "m:prod": "passed" });
    expect(withProtection(one, "m", "prod", undefined).annotations).toEqual({});
  });

  test("that cannot be read is corrupt, not absent", () => {
    const index = { ...EMPTY_INDEX, annotations: { "rerank-tune.protected": '{"m:prod":"maybe"}' } };
    expect(() => protectedAliases(index)).toThrowError(/which aliases are protected/);
  });
});
