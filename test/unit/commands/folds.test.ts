import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CommandContext } from "../../../src/commands/context.js";
import { folds } from "../../../src/commands/folds.js";
import type { FoldsData, FoldsFlags } from "../../../src/commands/folds-data.js";
import { type Group, groupsFile, readAllGroups } from "../../../src/dataset/groups.js";
import { RerankTuneError } from "../../../src/errors.js";
import type { PipelineEvent } from "../../../src/pipeline/execute.js";
import type { Stage } from "../../../src/pipeline/stage.js";
import { type Scores, writeScores } from "../../../src/ranking/scores.js";
import { prepare } from "../../../src/stages/prepare/index.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import { jsonl } from "../../helpers/labelled-files.js";
import { writeModel } from "../lint/model-files.js";

const folder = folderPerTest();

/** One relevant passage a query; the first stage (BM25) likes the two others, which repeat the query, better. */
const rows = (count: number, more: (index: number) => object = () => ({})): object[] =>
  Array.from({ length: count }, (_, index) => {
    const query = `alpha${index} beta${index} gamma${index}`;
    return {
      query,
      passages: [
        { text: `the answer is ${index}`, label: 1 },
        { text: `${query} one`, label: 0 },
        { text: `${query} two more`, label: 0 },
      ],
      ...more(index),
    };
  });

interface Bench {
  /** Runs the command. */
  run(flags?: Partial<FoldsFlags>): ReturnType<typeof folds>;
  /** Folds that were trained, by their artifacts' name, since the last call. */
  took(): string[];
  events: PipelineEvent[];
  stop(): void;
}

interface Behaviour {
  /** Queries that the tuned model gets right; the base and the first stage get none. */
  learns?: (queryId: string) => boolean;
  baseRanks?: boolean;
  /** Called in the training of a fold, before it writes anything. */
  before?: (fold: number) => void;
  data?: object[];
  steps?: (fold: number) => number;
}

async function bench(behaviour: Behaviour = {}): Promise<Bench> {
  const { data = rows(40) } = behaviour;
  await writeModel(join(folder(), "base"), () => undefined);
  await writeFile(join(folder(), "pairs.jsonl"), jsonl(data));
  const recipe = join(folder(), "my.yaml");
  await writeFile(
    recipe,
    "schema: 1\nname: tiny-ce\nbase_model: { path: base }\nprepare: { source: pairs.jsonl }\ntrain: { queries_per_step: 10 }\n",
  );
  const trained: string[] = [];
  const events: PipelineEvent[] = [];
  let controller = new AbortController();
  const stages = [prepare, fakeTrain(trained, behaviour)] as unknown as Stage[];
  return {
    run: (flags = {}) => {
      controller = new AbortController();
      const context = {
        signal: controller.signal,
        emit: (event: PipelineEvent) => void events.push(event),
        home: folder(),
        python: () => Promise.reject(new Error("no Python here")),
      } as unknown as CommandContext;
      const usual = { artifacts: join(folder(), "artifacts"), set: [], folds: 4 };
      return folds(recipe, { ...usual, ...flags }, context, stages);
    },
    took: () => trained.splice(0),
    events,
    stop: () => controller.abort("SIGINT"),
  };
}

/** Scores the test groups by a rule instead of a model. */
function fakeTrain(trained: string[], { learns = () => true, baseRanks = true, before, steps }: Behaviour): Stage {
  return {
    name: "train",
    version: 1,
    needs: ["prepare"],
    options: ({ name, train: { epochs } }) => ({ name, epochs }),
    sources: () => [],
    tools: () => ({}),
    run: async ({ outDir, signal }, options, { prepare: prepared }) => {
      const { name } = options as { name: string };
      const fold = Number(name.at(-1));
      before?.(fold);
      if (signal.aborted) throw new RerankTuneError({ code: "INTERRUPTED", message: "Stopped.", hint: "again" });
      trained.push(name);
      const groups = await readAllGroups(join(prepared.dir, groupsFile("test")));
      const right = ({ query_id, passages }: Group) =>
        passages.map(({ label }) => (learns(query_id) ? label : 1 - label));
      await writeScores(join(outDir, "scores.tuned.test.tsv"), scored(groups, right));
      if (baseRanks)
        await writeScores(
          join(outDir, "scores.base.test.tsv"),
          scored(groups, ({ passages }) => passages.map(({ label }) => 1 - label)),
        );
      const best_step = steps?.(fold) ?? 3 * fold;
      return { base_is_reranker: baseRanks, steps: 20, best_step, ended: fold === 1 ? "early_stop" : "finished" };
    },
  };
}

function scored(groups: readonly Group[], scores: (group: Group) => number[]): Scores {
  return new Map(
    groups.map((group) => {
      const values = scores(group);
      return [group.query_id, new Map(group.passages.map(({ id }, at) => [id, values[at] as number]))];
    }),
  );
}

const plain = (_: string, text: string): string => text;

describe("folds of a recipe that helps", () => {
  test("give one verdict over all queries, each scored by the fold that did not train on it", async () => {
    const { run, took, events } = await bench();
    const result = await run();
    const data = result.data as FoldsData;
    const notes = events.flatMap((event) => (event.type === "note" ? [event.message] : []));
    expect(notes[0]).toMatch(/^40 queries in 4 folds, each tested once: .* from about 11\.1 points up/);
    expect(notes.slice(1)).toEqual([1, 2, 3, 4].map((fold) => `fold ${fold} of 4: tiny-ce.fold-${fold}`));
    expect(took()).toEqual(["tiny-ce.fold-1", "tiny-ce.fold-2", "tiny-ce.fold-3", "tiny-ce.fold-4"]);
    expect(result.failure).toBeUndefined();
    expect(result.essential).toBe("take the tuned model");
    // With both irrelevant passages before it, the relevant one has NDCG 1 / log2(4).
    expect(data.verdict).toMatchObject({ outcome: "improved", against: "base" });
    expect(data.verdict.comparison).toMatchObject({ queries: 40, clusters: 40, wins: 40, losses: 0 });
    expect(data.verdict.comparison.mean).toBeCloseTo(0.5, 12);
    expect(data.variants.map(({ name, "ndcg@10": ndcg }) => [name, ndcg])).toEqual([
      ["first_stage", expect.closeTo(0.5, 12)],
      ["base", expect.closeTo(0.5, 12)],
      ["tuned", 1],
    ]);
    expect(data.folds.map(({ queries }) => queries)).toEqual([10, 10, 10, 10]);
  });

  test("recommend the median best step, as epochs, in the command that makes the final model", async () => {
    const { run } = await bench();
    const result = await run({ set: ["train.seed=1"] });
    // 30 queries are not tested in a fold, 3 of them dev: 27 in steps of 10 are 3 steps an epoch; best steps are 3, 6, 9, 12.
    expect((result.data as FoldsData).median).toEqual({ best_step: 7.5, best_epochs: 2.5 });
    expect((result.data as FoldsData).final).toEqual({ epochs: 2.5, keeps_split: false });
    expect(result.text(plain)).toMatch(
      /run \S*my\.yaml --artifacts \S+ \\\n +--set train\.seed=1 \\\n +--set train\.epochs=2\.5 \\\n +--set publish\.against_verdict=true$/,
    );
  });

  test("fit 80 columns, but for paths", async () => {
    const { run } = await bench({
      data: rows(40, (index) => ({
        lang: index % 2 === 0 ? "de" : "a language with quite a long name of its own",
      })),
    });
    const lines = (await run()).text(plain, 80).split("\n");
    expect(lines.filter((line) => line.length > 80 && !line.includes("my.yaml"))).toEqual([]);
    expect(lines).toContainEqual(expect.stringMatching(/^1 +10 +50\.00 +100\.00 +\+50\.00 \[.*\] +3\/20 +early stop$/));
    expect(lines).toContainEqual(expect.stringMatching(/^all +40 /));
    expect(lines).toContainEqual(expect.stringMatching(/^language +de +20 +\+50\.00/));
  });

  test("are held against the first stage where the base cannot rank", async () => {
    const { run } = await bench({ baseRanks: false });
    const data = (await run()).data as FoldsData;
    expect(data.verdict).toMatchObject({ outcome: "improved", against: "first_stage" });
    expect(data.variants.map(({ name }) => name)).toEqual(["first_stage", "tuned"]);
  });

  test("count near-duplicate queries as one", async () => {
    const words = "how long is the notice period of a lease for a shop in the inner city of";
    const data = rows(40, (index) => (index < 10 ? { query: `${words} town${index}` } : {}));
    const { run, events } = await bench({ data });
    const { comparison, summary } = ((await run()).data as FoldsData).verdict;
    expect(comparison).toMatchObject({ queries: 40, clusters: 31 });
    expect(summary).toContain("over 40 queries in 31 clusters, each tested in one of 4 folds");
    expect(events).toContainEqual({
      type: "note",
      message: expect.stringMatching(/^40 queries in 31 clusters in 4 folds/),
    });
  });
});

describe("folds of a recipe that does not help", () => {
  test("say to keep the base, with exit code 3 and no final training", async () => {
    const { run } = await bench({ learns: () => false });
    const result = await run();
    expect(result.failure).toMatchObject({ code: "GATE_FAILED", exitCode: 3 });
    expect(result.failure?.message).toMatch(/^Keep the base: no significant gain/);
    expect(result.data).toMatchObject({ final: null, verdict: { outcome: "no_significant_gain" } });
    expect(result.text(plain)).not.toContain("publish.against_verdict");
  });

  test("see a gain of four queries in 40 as chance, though one fold alone shows much", async () => {
    const { run } = await bench({ learns: (id) => ["q1", "q2", "q3", "q4"].includes(id) });
    const { verdict } = (await run()).data as FoldsData;
    // Four differences, all one way: 2 / 2^4.
    expect(verdict.comparison).toMatchObject({ p_value: 0.125, exact: true, wins: 4, ties: 36 });
    expect(verdict.outcome).toBe("no_significant_gain");
  });
});

describe("a command that is started again", () => {
  test("takes everything from the store", async () => {
    const { run, took } = await bench();
    const first = await run();
    took();
    const second = await run();
    expect(took()).toEqual([]);
    expect(second.data).toEqual(first.data);
  });

  test("goes on where Ctrl-C stopped it", async () => {
    let armed = true;
    const made: Bench = await bench({ before: (fold) => armed && fold === 3 && made.stop() });
    await expect(made.run()).rejects.toMatchObject({ code: "INTERRUPTED", exitCode: 130 });
    expect(made.took()).toEqual(["tiny-ce.fold-1", "tiny-ce.fold-2"]);
    armed = false;
    expect((await made.run()).failure).toBeUndefined();
    expect(made.took()).toEqual(["tiny-ce.fold-3", "tiny-ce.fold-4"]);
  });

  test("trains again what another option or another number of folds changes", async () => {
    const { run, took } = await bench();
    await run({ folds: 2 });
    await run({ folds: 2, set: ["train.epochs=1"] });
    expect(took()).toEqual([1, 2, 1, 2].map((fold) => `tiny-ce.fold-${fold}`));
    await run({ folds: 3 });
    expect(took()).toHaveLength(3);
    await run({ folds: 2 });
    expect(took()).toEqual([]);
  });
});

describe("a fold that fails", () => {
  test("ends the command with its name: one collapse says that the recipe cannot be trusted", async () => {
    const collapse = new RerankTuneError({
      code: "TRAINING_COLLAPSED",
      message: "Training collapsed: the loss of step 3 is not a finite number",
      hint: "lower it with `--set train.learning_rate=...`",
    });
    const { run, took } = await bench({
      before: (fold) => {
        if (fold === 2) throw collapse;
      },
    });
    await expect(run()).rejects.toMatchObject({
      code: "TRAINING_COLLAPSED",
      exitCode: 3,
      message: `Fold 2 of 4: ${collapse.message}`,
      hint: collapse.hint,
    });
    expect(took()).toEqual(["tiny-ce.fold-1"]);
  });
});

describe("a plan", () => {
  test("runs and writes nothing, and knows what is finished", async () => {
    const { run, took } = await bench();
    const before = await run({ dryRun: true });
    expect(before.text(plain)).toMatch(/^fold 1 +prepare +run +the data is still to be split\nfold 1 +train +run/);
    expect(await readdir(join(folder(), "artifacts")).catch(() => [])).not.toContain("tiny-ce.folds");
    expect(took()).toEqual([]);
    await run();
    const after = await run({ dryRun: true });
    expect(after.text(plain)).toMatch(/^fold 1 +prepare +cached +unchanged\n/);
    expect(after.essential).toBe("");
    const changed = await run({ dryRun: true, set: ["train.epochs=1"] });
    expect(changed.text(plain)).toContain("train.epochs 3 → 1");
  });
});

describe("folds that cannot be made", () => {
  test("are those of a student, which must not win but keep", async () => {
    const { run } = await bench();
    await expect(run({ set: ["train.student={ layers: 2 }"] })).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("train.student"),
    });
  });

  test.each([1, 21])("are %i", async (count) => {
    const { run } = await bench();
    await expect(run({ folds: count })).rejects.toMatchObject({ code: "USAGE" });
  });

  test("are more than there are queries", async () => {
    const { run } = await bench({ data: rows(4) });
    await expect(run({ folds: 5 })).rejects.toMatchObject({ code: "DATA_INVALID" });
  });

  test("are those of data with a split, until it is given up; the final run keeps it", async () => {
    const { run, events } = await bench({ data: rows(40, (index) => ({ split: index < 30 ? "train" : "test" })) });
    await expect(run()).rejects.toMatchObject({ code: "DATA_INVALID" });
    const result = await run({ ignoreSplit: true });
    expect((result.data as FoldsData).final).toMatchObject({ keeps_split: true });
    expect(result.text(plain)).not.toContain("publish.against_verdict");
    expect(events).toContainEqual({
      type: "warning",
      message: "the split that the data brings along is given up",
    });
  });
});
