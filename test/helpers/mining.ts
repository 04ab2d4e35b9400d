// What tests of mining share: a corpus on disk, and a context that keeps the events and may stop the run at one of them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Corpus } from "../../src/data-tools/mine/corpus.js";
import type { MineContext, MineOptions } from "../../src/data-tools/mine/options.js";
import { Pace } from "../../src/data-tools/mine/pace.js";
import type { StageEvent } from "../../src/events.js";

export async function writeJsonl(path: string, rows: readonly object[]): Promise<string> {
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return path;
}

/** @param stopAt stops the run by Ctrl-C when it says yes. */
export function mineContext(
  stopAt: (event: StageEvent) => boolean = () => false,
): MineContext & { events: StageEvent[] } {
  const controller = new AbortController();
  const events: StageEvent[] = [];
  const emit = (event: StageEvent): void => {
    events.push(event);
    if (stopAt(event)) controller.abort("SIGINT");
  };
  return { signal: controller.signal, emit, events };
}

/** A corpus whose passages are called p0, p1 and so on. */
export async function corpusOf(folder: string, texts: readonly string[]): Promise<Corpus> {
  const file = await writeJsonl(
    join(folder, "corpus.jsonl"),
    texts.map((text, index) => ({ _id: `p${index}`, text })),
  );
  return await Corpus.open(file, folder, new Pace(mineContext()));
}

export function mineOptions(folder: string, changes: Partial<MineOptions> = {}): MineOptions {
  return {
    source: join(folder, "labelled.jsonl"),
    corpus: join(folder, "corpus.jsonl"),
    out: join(folder, "mined.jsonl"),
    from: "bm25",
    ranks: { first: 1, last: 10 },
    perQuery: 4,
    random: 1,
    maxShare: 0.95,
    seed: 7,
    resume: false,
    ...changes,
  };
}
