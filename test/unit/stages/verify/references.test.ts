import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StageEvent } from "../../../../src/events.js";
import { readReferences } from "../../../../src/stages/verify/references.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const GROUP = { query_id: "q", query: "a", passages: [{ id: "p", text: "b", label: 1, source: "judged", rank: 1 }] };

async function folders(files: Record<string, string>) {
  const root = await temporaryFolder();
  for (const folder of ["train/records", "prepare/guards"]) await mkdir(join(root, folder), { recursive: true });
  for (const [path, text] of Object.entries({ "train/scores.tuned.test.tsv": "q\tp\t1\n", ...files }))
    await writeFile(join(root, path), text);
  const events: StageEvent[] = [];
  const read = (guarded = false) =>
    readReferences(join(root, "train"), join(root, "prepare"), guarded, (event) => void events.push(event));
  return { read, events };
}

describe("what train left", () => {
  test("is the tuned model's scores, and speeds where they were recorded", async () => {
    const { read, events } = await folders({ "train/records/throughput.json": '{"tuned_pairs_per_second": 12.5}' });
    expect(await read()).toEqual({
      tuned: new Map([["q", new Map([["p", 1]])]]),
      guards: [],
      tuned_pairs_per_second: 12.5,
    });
    expect(events).toEqual([]);
  });

  test("has the base's scores only where it was a reranker", async () => {
    const { read } = await folders({ "train/scores.base.test.tsv": "q\tp\t0.5\n" });
    expect((await read()).base?.get("q")?.get("p")).toBe(0.5);
  });
});

describe("guard sets", () => {
  test("are groups of prepare with the scores of both models", async () => {
    const { read, events } = await folders({
      "prepare/guards/general.jsonl": `${JSON.stringify(GROUP)}\n`,
      "train/scores.tuned.guard-general.tsv": "q\tp\t2\n",
      "train/scores.base.guard-general.tsv": "q\tp\t3\n",
    });
    const { guards } = await read(true);
    expect(guards).toMatchObject([{ name: "general", groups: [GROUP] }]);
    expect([guards?.[0]?.tuned, guards?.[0]?.base].map((scores) => scores?.get("q")?.get("p"))).toEqual([2, 3]);
    expect(events).toEqual([]);
  });

  test("that train did not score are named and left out", async () => {
    const { read, events } = await folders({ "prepare/guards/general.jsonl": `${JSON.stringify(GROUP)}\n` });
    expect((await read(true)).guards).toEqual([]);
    expect(events).toMatchObject([
      { type: "warning", message: "guard general is not checked: train did not score it" },
      { type: "warning", message: "`verify.guard` is not checked: no guard set was scored" },
    ]);
  });
});
