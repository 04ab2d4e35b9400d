// Workers on one list end together, and the first failure is the one that is told.
import { expect, test } from "vitest";
import { runWorkers } from "../../../src/hub/workers.js";

test("workers share a list, as many at once as are asked for", async () => {
  const waiting = [1, 2, 3, 4, 5];
  const done: number[] = [];
  let busy = 0;
  let most = 0;
  await runWorkers(2, async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      most = Math.max(most, ++busy);
      await new Promise(setImmediate);
      busy -= 1;
      done.push(item);
    }
  });
  expect([done.sort(), most]).toEqual([[1, 2, 3, 4, 5], 2]);
});

test("the first failure in time is thrown, after all have ended, and is told once", async () => {
  const stop = new AbortController();
  let started = 0;
  let ended = 0;
  let told = 0;
  const work = async (): Promise<void> => {
    const number = started++;
    // The second fails; the others only because they are stopped.
    if (number !== 1) await new Promise((done) => stop.signal.addEventListener("abort", done));
    ended += 1;
    throw new Error(number === 1 ? "no space" : "stopped");
  };
  const onFailure = (): void => {
    told += 1;
    stop.abort();
  };
  await expect(runWorkers(3, work, onFailure)).rejects.toThrow("no space");
  expect([ended, told]).toEqual([3, 1]);
});
