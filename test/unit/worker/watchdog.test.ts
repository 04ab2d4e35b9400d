import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type WorkerEvent, workerEventSchema } from "../../../src/worker/protocol.js";
import { Watchdog } from "../../../src/worker/watchdog.js";

const event = (fields: object): WorkerEvent => workerEventSchema.parse({ v: 1, seq: 0, time: 0, job: "t", ...fields });
const ALIVE = event({ type: "alive" });
const PROGRESS = event({ type: "progress", completed: 1, total: 9, unit: "steps" });
const phase = (name: string) => event({ type: "phase", name, index: 1, count: 2 });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Frozen after 120 s, standing still after 600 s. */
function watch() {
  const said: string[] = [];
  const watchdog = new Watchdog({
    silenceSeconds: 120,
    standstillSeconds: 600,
    onSilence: () => said.push("silence"),
    onStandstill: (name) => said.push(`standstill in ${name ?? "none"}`),
  });
  watchdog.start();
  return { watchdog, said };
}

/** Seconds with a sign of life every 15. */
function live(watchdog: Watchdog, seconds: number): void {
  for (let passed = 0; passed < seconds; passed += 15) {
    vi.advanceTimersByTime(15_000);
    watchdog.heard(ALIVE);
  }
}

describe("a worker without a sign of life", () => {
  test("counts as frozen after the limit, once", () => {
    const { said } = watch();
    vi.advanceTimersByTime(119_000);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(said).toEqual(["silence"]);
    vi.advanceTimersByTime(3_600_000);
    expect(said).toEqual(["silence"]);
  });

  test.each([
    ["alive", ALIVE],
    ["progress", PROGRESS],
  ])("begins anew with each event, as with %s", (_, heard) => {
    const { watchdog, said } = watch();
    vi.advanceTimersByTime(119_000);
    watchdog.heard(heard);
    vi.advanceTimersByTime(119_000);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(said).toEqual(["silence"]);
  });

  test("is not charged with the time that this process was stopped", () => {
    const { said } = watch();
    vi.advanceTimersByTime(60_000);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(59_000);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(said).toEqual(["silence"]);
  });
});

describe("a worker that lives without progress", () => {
  test("is told of once, with its phase", () => {
    const { watchdog, said } = watch();
    watchdog.heard(phase("train"));
    live(watchdog, 585);
    expect(said).toEqual([]);
    live(watchdog, 3600);
    expect(said).toEqual(["standstill in train"]);
  });

  test("is told of again in another phase only", () => {
    const { watchdog, said } = watch();
    live(watchdog, 600);
    watchdog.heard(PROGRESS);
    live(watchdog, 600);
    expect(said).toEqual(["standstill in none"]);
    watchdog.heard(phase("save"));
    live(watchdog, 600);
    expect(said).toEqual(["standstill in none", "standstill in save"]);
  });

  test("has made some with any other event", () => {
    const { watchdog, said } = watch();
    for (let times = 0; times < 3; times++) {
      live(watchdog, 585);
      watchdog.heard(event({ type: "log", level: "debug", message: "still here", logger: "worker" }));
    }
    expect(said).toEqual([]);
  });
});

test("nothing is watched before the start and after the end", () => {
  const { watchdog, said } = watch();
  watchdog.stop();
  vi.advanceTimersByTime(3_600_000);
  expect(said).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
