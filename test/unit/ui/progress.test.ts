import { describe, expect, test } from "vitest";
import type { PipelineEvent } from "../../../src/pipeline/execute.js";
import { painter } from "../../../src/ui/colors.js";
import { Progress } from "../../../src/ui/progress.js";

/** A progress display with a clock in our hands, and what it wrote. */
function display(options: { redraw: boolean; verbose?: boolean; columns?: number }) {
  let time = 0;
  let text = "";
  const stream = {
    columns: options.columns ?? 80,
    write: (chunk: string) => {
      text += chunk;
    },
  };
  const { redraw, verbose = false } = options;
  const progress = new Progress({ stream, redraw, verbose, unicode: false, paint: painter(false), now: () => time });
  return {
    later: (seconds: number, event: PipelineEvent) => {
      time += seconds * 1000;
      progress.handle(event);
    },
    progress,
    written: () => text,
    /** What a terminal would show: the last state of every line. */
    screen: () => text.split("\n").map((line) => line.split("\r\u001b[2K").at(-1)),
  };
}

const step = (completed: number, total = 100): PipelineEvent => ({ type: "progress", completed, total, unit: "steps" });
const stage = (status: "running" | "done" | "cached" | "failed" | "stopped", seconds = 0): PipelineEvent => ({
  type: "stage",
  name: "train",
  status,
  reason: "not run yet",
  seconds,
});

describe("progress on a terminal", () => {
  test("is one line with stage, share, count and the time left", () => {
    const { later, screen, progress } = display({ redraw: true });
    later(0, stage("running"));
    later(0, { type: "phase", name: "train" });
    later(10, step(25));
    expect(screen().at(-1)).toBe("  train: train  25 %  25/100 steps  30 s left");
    progress.end();
  });

  test("stays within the width of the terminal, last column free", () => {
    const { later, screen, progress } = display({ redraw: true, columns: 30 });
    later(0, stage("running"));
    later(0, { type: "phase", name: "a phase with a very long name indeed" });
    later(10, step(25));
    expect(screen().at(-1)?.length).toBe(29);
    progress.end();
  });

  test("breaks long notes at words, further lines indented", () => {
    const { later, screen, progress } = display({ redraw: true, columns: 50 });
    later(0, { type: "note", message: "tokens a pair: median 33, and a few more words to fill the line" });
    expect(screen().slice(0, 2)).toEqual(["  tokens a pair: median 33, and a few more words", "  to fill the line"]);
    progress.end();
  });

  test("says of a stopped stage that it was stopped", () => {
    const { later, screen, progress } = display({ redraw: true });
    later(0, stage("running"));
    later(3, stage("stopped", 3));
    expect(screen()).toContain("x train     stopped after 3.0 s");
    progress.end();
  });

  test("leaves lines that stay above it", () => {
    const { later, screen, progress } = display({ redraw: true });
    later(0, stage("running"));
    later(1, step(1));
    later(1, { type: "warning", message: "3 texts are empty" });
    expect(screen().at(-2)).toBe("warning: 3 texts are empty");
    expect(screen().at(-1)).toContain("train");
    progress.end();
  });

  test("is gone when the stage is done", () => {
    const { later, screen, progress } = display({ redraw: true });
    later(0, stage("running"));
    later(1, step(1));
    later(1, stage("done", 62));
    expect(screen().slice(-2)).toEqual(["+ train     1 m 02 s", ""]);
    progress.end();
  });
});

describe("progress elsewhere", () => {
  test("is a line a phase, and while it lasts at most one every 30 seconds", () => {
    const { later, written } = display({ redraw: false });
    later(0, stage("running"));
    later(0, { type: "phase", name: "train" });
    for (let completed = 1; completed <= 70; completed += 1) later(1, step(completed));
    expect(written()).toMatchInlineSnapshot(`
      "> train     not run yet
        train: train
        train: train  30 %  30/100 steps  1 m 10 s left
        train: train  60 %  60/100 steps  40 s left
      "
    `);
  });

  test("names a phase that comes again once", () => {
    const { later, written } = display({ redraw: false });
    for (const name of ["train", "evaluate", "train", "evaluate"]) later(1, { type: "phase", name });
    expect(written()).toBe("  train\n  evaluate\n");
  });

  test("never writes control characters", () => {
    const { later, written } = display({ redraw: false });
    later(0, stage("running"));
    later(40, step(1));
    later(1, stage("failed", 41));
    expect([...written()].filter((sign) => sign < " " && sign !== "\n")).toEqual([]);
  });
});

describe("metrics", () => {
  test("of ranking are shown times 100 with their step, others with --verbose only", () => {
    const quiet = display({ redraw: false });
    const verbose = display({ redraw: false, verbose: true });
    for (const { later } of [quiet, verbose]) {
      later(0, { type: "metric", name: "loss", value: 1.23456, step: 3, split: "train" });
      later(0, { type: "metric", name: "ndcg@10", value: 0.4448, step: 3, split: "dev" });
    }
    expect(quiet.written()).toBe("  ndcg@10 44.48 (dev, step 3)\n");
    expect(verbose.written()).toBe("  loss 1.235 (train, step 3)\n  ndcg@10 44.48 (dev, step 3)\n");
  });

  test("that are not a number say so", () => {
    const { later, written } = display({ redraw: false, verbose: true });
    later(0, { type: "metric", name: "loss", value: null });
    expect(written()).toBe("  loss not a number\n");
  });
});
