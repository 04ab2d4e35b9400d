import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { inOrder } from "../../../../src/data-tools/endpoint/in-order.js";

const never = new AbortController().signal;

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe("work in order", () => {
  test("gives results in the order of the items, however long each takes", async () => {
    const work = async (milliseconds: number) => {
      await sleep(milliseconds);
      return milliseconds;
    };
    expect(await all(inOrder([30, 1, 20, 0, 10], 3, never, work))).toEqual([30, 1, 20, 0, 10]);
  });

  test("runs no more at once than it may, and as many as it may", async () => {
    let [running, most] = [0, 0];
    const work = async () => {
      running += 1;
      most = Math.max(most, running);
      await sleep(2);
      running -= 1;
    };
    await all(inOrder(Array(20).fill(0), 3, never, work));
    expect(most).toBe(3);
  });

  test("does not read all items ahead of the results", async () => {
    let read = 0;
    function* items() {
      for (; read < 1000; read++) yield read;
    }
    for await (const item of inOrder(items(), 2, never, async (number) => number)) if (item === 0) break;
    expect(read).toBeLessThan(20);
  });

  test("gives what came before a failure, then fails and ends the rest", async () => {
    const [given, ended]: [number[], number[]] = [[], []];
    const work = async (item: number, signal: AbortSignal) => {
      if (item === 2) {
        await sleep(10);
        throw new Error("no");
      }
      if (item > 2) await sleep(10_000, undefined, { signal }).catch(() => ended.push(item));
      return item;
    };
    const run = async () => {
      for await (const item of inOrder([0, 1, 2, 3, 4, 5, 6], 3, never, work)) given.push(item);
    };
    await expect(run()).rejects.toThrow("no");
    expect(given).toEqual([0, 1]);
    // Two were running beside the failed one, the others were never begun.
    expect(ended).toEqual([3, 4]);
  });

  test("lets work before a failure end well", async () => {
    const given: string[] = [];
    const work = async (item: string, signal: AbortSignal) => {
      if (item === "fails") throw new Error("no");
      await sleep(20, undefined, { signal });
      return item;
    };
    const run = async () => {
      for await (const item of inOrder(["slow", "fails"], 2, never, work)) given.push(item);
    };
    await expect(run()).rejects.toThrow("no");
    expect(given).toEqual(["slow"]);
  });

  test("begins nothing after it was stopped", async () => {
    const stop = new AbortController();
    let begun = 0;
    const work = async () => {
      begun += 1;
      stop.abort(new Error("stopped"));
    };
    await expect(all(inOrder([1, 2, 3, 4, 5, 6, 7, 8], 1, stop.signal, work))).rejects.toThrow("stopped");
    expect(begun).toBe(1);
  });
});
