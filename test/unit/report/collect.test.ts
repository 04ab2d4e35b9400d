import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { sigmoid } from "../../../src/ranking/calibration.js";
import { readScores } from "../../../src/ranking/scores.js";
import { collectReport } from "../../../src/report/collect/index.js";
import { collectLadder, collectOpenvino, collectTeiRuntime } from "../../../src/report/collect/ladder.js";
import { collectMaking, flatOptions } from "../../../src/report/collect/making.js";
import { historyRows } from "../../../src/report/collect/training.js";
import { isMissing, type Part } from "../../../src/report/data.js";
import { renderReport } from "../../../src/report/page.js";
import { judgeTuned } from "../../../src/stages/verify/judge-tuned.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import { groups, PipelineFolder, SECRET } from "./pipeline-folder.js";

const folder = folderPerTest();
/** One relevant passage of two; whoever puts it second has an NDCG@10 of 1 / log2(3) instead of 1. */
const WON = 1 - 1 / Math.log2(3);

const quality = (ndcg: number) => ({
  "ndcg@10": ndcg,
  "ndcg@10_interval": [ndcg, ndcg],
  "mrr@10": ndcg,
  "recall@5": 1,
  queries: 3,
});
const verified = (verdict: unknown) => ({
  verdict,
  variants: [
    {
      name: "fp32",
      provider: "cpu",
      outcome: "failed",
      gates: [{ gate: "spearman_min", outcome: "failed", measured: 0.9, limit: 0.98, detail: "rank correlation" }],
      quality: quality(0.7),
      pairs_per_second: 10,
      bytes: 100,
    },
  ],
  first_stage: quality(0.63),
  base: null,
  tuned: { ...quality(0.7), pairs_per_second: 20, bytes: 200 },
  latency: [],
  machine: { cpu: "Some CPU", cores: 2, flags: [], threads: 2, onnxruntime: "1.30.0", node: "20.20.2" },
});

/** As the train job writes it; the file of guard set `b-2` stands before that of `b`. */
const SWEEP = `{"queries": 10, "guard_max_drop": 0.01, "base": {"alpha": 0.0, "dev_ndcg@10": 0.4, "guards": {"guard-b": 0.7, "guard-b-2": 0.6}},
"mixtures": [{"alpha": 1.0, "dev_ndcg@10": 0.55, "guards": {"guard-b": 0.7, "guard-b-2": 0.3}, "within_guards": false},
{"alpha": 0.5, "dev_ndcg@10": 0.5, "guards": {"guard-b": 0.7, "guard-b-2": 0.59}, "within_guards": true}], "chosen": 0.5}`;

function there<Content>(part: Part<Content>): Content {
  if (isMissing(part)) throw new Error(part.missing);
  return part as Content;
}

describe("the data of a report", () => {
  test("has gains against the first stage where the base gave no scores", async () => {
    const made = new PipelineFolder(folder());
    await made.train({ prepare: await made.prepare() });
    const gains = there((await collectReport(made.store, "r.yaml")).gains);
    expect(gains.against).toBe("first_stage");
    expect(gains.queries.map(({ id }) => id)).toEqual(["q1", "q2", "q3"]);
    expect(gains.queries.map(({ gain }) => gain)).toEqual([WON, WON, 0].map((gain) => expect.closeTo(gain, 12)));
    expect(gains.comparison).toMatchObject({ wins: 2, ties: 1, losses: 0, queries: 3 });
    expect(gains.comparison.mean).toBeCloseTo((2 * WON) / 3, 12);
  });

  test("has gains against the base where it ranks, and its scores by relevance", async () => {
    const made = new PipelineFolder(folder());
    await made.train({
      prepare: await made.prepare(),
      base: [
        [0, 2],
        [3, 0],
        [0, 1],
      ],
    });
    const data = await collectReport(made.store, "r.yaml");
    const gains = there(data.gains);
    expect(gains.against).toBe("base");
    expect(gains.queries).toEqual([
      { id: "q2", gain: expect.closeTo(WON, 12) },
      { id: "q1", gain: 0 },
      { id: "q3", gain: expect.closeTo(-WON, 12) },
    ]);
    const scores = there(data.scores);
    expect(there(scores.base)).toEqual({ system: "base", relevant: [2, 0, 1], other: [0, 3, 0] });
    expect(scores.tuned).toEqual({ system: "tuned", relevant: [1, 1, 0], other: [0, 0, 1] });
    expect(there(data.reliability).map(({ system }) => system)).toEqual(["base", "tuned"]);
  });

  test("compares as verify does", async () => {
    const made = new PipelineFolder(folder());
    const train = await made.train({
      prepare: await made.prepare(),
      base: [
        [0, 2],
        [3, 0],
        [0, 1],
      ],
    });
    const [tuned, base] = await Promise.all(
      ["tuned", "base"].map((system) => readScores(join(train.dir, `scores.${system}.test.tsv`))),
    );
    if (tuned === undefined) throw new Error("no scores");
    const verdict = judgeTuned({ groups, tuned, base, guards: [], guardMaxDrop: 0.01 });
    expect(there((await collectReport(made.store, "r.yaml")).gains).comparison).toEqual(verdict.comparison);
  });

  test("compares over clusters as verify does, and reads its verdict over clusters", async () => {
    const clustered = groups.map((group, index) => (index < 2 ? { ...group, cluster: 1 } : group));
    const made = new PipelineFolder(folder());
    const prepare = await made.prepare(clustered);
    const train = await made.train({ prepare });
    const tuned = await readScores(join(train.dir, "scores.tuned.test.tsv"));
    const judged = judgeTuned({ groups: clustered, tuned, base: undefined, guards: [], guardMaxDrop: 0.01 });
    await made.verify(prepare, train, verified(judged));
    const data = await collectReport(made.store, "r.yaml");
    expect(there(data.gains).comparison).toEqual(judged.comparison);
    expect(there(data.verdict).comparison).toEqual({ ...judged.comparison, queries: 3, clusters: 2 });
    expect(there(data.verdict).slices.map(({ clusters }) => clusters)).toEqual(
      judged.slices.map(({ clusters }) => clusters),
    );
  });

  test("undoes a calibration to show the reliability before it", async () => {
    const made = new PipelineFolder(folder());
    const output = { calibration: { a: 0.5, b: -1 } };
    await made.train({
      prepare: await made.prepare(),
      tuned: [
        [-1, 0],
        [-1, 0],
        [-1, 0],
      ],
      output,
    });
    const [before, after] = there((await collectReport(made.store, "r.yaml")).reliability);
    expect([before?.system, after?.system]).toEqual(["tuned, before calibration", "tuned, after calibration"]);
    // Scores of -1 and 0 were 0 and 2 before they were halved and lowered by 1.
    const predicted = [before, after].map((one) => one?.calibration.bins.map((bin) => bin.predicted));
    expect(predicted).toEqual([[0, 2].map(close), [-1, 0].map(close)]);
  });

  test("has what each threshold keeps of the test split, by hand", async () => {
    const made = new PipelineFolder(folder());
    const output = { calibration: { a: 0.5, b: -1 } };
    // sigmoid of 2 is .881 and of 0 is .5: at .5 all six stay, at .6 the three of 2, two of them relevant.
    await made.train({
      prepare: await made.prepare(),
      tuned: [
        [0, 2],
        [0, 2],
        [2, 0],
      ],
      output,
    });
    const found = there((await collectReport(made.store, "r.yaml")).thresholds);
    expect(found).toMatchObject({ calibrated: true, pairs: 6, relevant: 3 });
    const at = (threshold: number) => found.rows.find((row) => row.threshold === threshold);
    expect(at(0.5)).toMatchObject({ kept: 6, relevant_kept: 3, precision: { value: 0.5 }, recall: { value: 1 } });
    expect(at(0.6)).toMatchObject({ kept: 3, relevant_kept: 2, precision: { value: 2 / 3 }, recall: { value: 2 / 3 } });
    // Wilson for 2 of 3: center (2/3 + z²/6) / (1 + z²/3), z = 1.96.
    expect(at(0.6)?.precision?.interval).toEqual([expect.closeTo(0.2077, 4), expect.closeTo(0.9385, 4)]);
    expect(at(0.9)).toEqual({
      threshold: 0.9,
      kept: 0,
      relevant_kept: 0,
      precision: null,
      recall: { value: 0, interval: [0, expect.closeTo(0.5615, 4)] },
    });
  });

  test("has the rows of the best seed and the value of each", async () => {
    const made = new PipelineFolder(folder());
    const row = (seed: number, step: number, ndcg: number) =>
      JSON.stringify({ step, loss: null, learning_rate: null, gradient_norm: null, "dev_ndcg@10": ndcg, seed });
    const seeds = {
      runs: [
        { seed: 7, steps: 10, best_step: 10, dev_ndcg_at_10: 0.5, ended: "finished" },
        { seed: 8, steps: 3, best_step: 0, dev_ndcg_at_10: null, ended: "collapsed" },
        { seed: 9, steps: 10, best_step: 5, dev_ndcg_at_10: 0.6, ended: "finished" },
      ],
      best_seed: 9,
      averaged: [],
      kept: "seed",
    };
    const history = [row(7, 0, 0.4), row(7, 10, 0.5), row(9, 0, 0.4), row(9, 5, 0.6)].join("\n");
    await made.train({ prepare: await made.prepare(), history, output: { seeds } });
    const training = there((await collectReport(made.store, "r.yaml")).training);
    expect(training.rows.map(({ step, dev_ndcg }) => [step, dev_ndcg])).toEqual([
      [0, 0.4],
      [5, 0.6],
    ]);
    expect(training.seeds?.runs).toEqual([
      { seed: 7, dev_ndcg: 0.5 },
      { seed: 8, dev_ndcg: null },
      { seed: 9, dev_ndcg: 0.6 },
    ]);
  });

  test("has every mixture that was tried, the base first and guard sets by number", async () => {
    const made = new PipelineFolder(folder());
    await made.train({ prepare: await made.prepare(), sweep: SWEEP });
    expect(there((await collectReport(made.store, "r.yaml")).training).sweep).toEqual({
      queries: 10,
      guard_max_drop: 0.01,
      chosen_alpha: 0.5,
      mixtures: [
        { alpha: 0, dev_ndcg: 0.4, guards: [0.6, 0.7], within_guards: true },
        { alpha: 0.5, dev_ndcg: 0.5, guards: [0.59, 0.7], within_guards: true },
        { alpha: 1, dev_ndcg: 0.55, guards: [0.3, 0.7], within_guards: false },
      ],
    });
  });

  test.each([
    ["cut in the middle", SWEEP.slice(0, 40)],
    ["with a guard set in some mixtures only", SWEEP.replace('"guard-b": 0.7, "guard-b-2": 0.59', '"guard-b": 0.7')],
    ["with a bare NaN of Python", SWEEP.replace("0.55", "NaN")],
  ])("has no mixtures from a record %s, and the rest stands", async (_, sweep) => {
    const made = new PipelineFolder(folder());
    await made.train({ prepare: await made.prepare(), sweep });
    const training = there((await collectReport(made.store, "r.yaml")).training);
    expect([training.sweep, training.steps]).toEqual([null, 10]);
  });

  test("has the course of training, and null where nothing was measured", async () => {
    const made = new PipelineFolder(folder());
    await made.train({ prepare: await made.prepare() });
    expect(there((await collectReport(made.store, "r.yaml")).training)).toMatchObject({
      rows: [
        { step: 0, loss: null, dev_ndcg: 0.25 },
        { step: 5, loss: 1.5, gradient_norm: null, dev_ndcg: null },
        { step: 10, loss: 1, learning_rate: 1e-5, gradient_norm: 4, dev_ndcg: 0.5 },
      ],
      best_step: 10,
      seconds: 12.5,
      tokens_per_second: null,
    });
  });

  test("holds the verdict, the table and the gates of verify", async () => {
    const made = new PipelineFolder(folder());
    const prepare = await made.prepare();
    const train = await made.train({ prepare });
    const tuned = await readScores(join(train.dir, "scores.tuned.test.tsv"));
    const verdict = judgeTuned({ groups, tuned, base: undefined, guards: [], guardMaxDrop: 0.01 });
    await made.verify(prepare, train, verified(verdict));
    const data = await collectReport(made.store, "r.yaml");
    expect(there(data.verdict)).toEqual(verdict);
    expect(there(data.quality).map(({ name, outcome }) => [name, outcome])).toEqual([
      ["first_stage", null],
      ["tuned", null],
      ["fp32", "failed"],
    ]);
    expect(data.open_gates).toEqual([
      { subject: "fp32 on cpu", gate: "spearman_min", outcome: "failed", measured: 0.9, limit: 0.98 },
    ]);
    expect(data.making.stages.map(({ name }) => name)).toEqual(["prepare", "train", "verify"]);
  });
});

const close = (logit: number): unknown => expect.closeTo(sigmoid(logit), 12);

describe("a trimmed vocabulary", () => {
  const trim = {
    pieces: { before: 700, after: 300 },
    weights: { before: 9000, after: 5000 },
    texts: 12,
    tokens: 99,
    languages: ["de"],
    letters: [{ script: "Han", known: 40, lost: 40 }],
    unseen: null,
    left_out: [],
  };
  const making = async (output: unknown) =>
    await collectMaking(new Map([["train", { manifest: { output, tools: {}, options: {} } }]]) as never);

  test("comes from train", async () => {
    expect((await making({ steps: 1, trim })).trim).toEqual(trim);
  });

  test("is none where the base kept its own, or another tool wrote something else there", async () => {
    expect((await making({ steps: 1 })).trim).toBeNull();
    expect((await making({ steps: 1, trim: { pieces: 3 } })).trim).toBeNull();
  });
});

describe("the int8 graphs that were tried", () => {
  const forms = { static: 40, smoothed: 5, token: 3, block: 0, float32: 0 };
  const tried = [{ forms, cost: 10, tables: "int8", error: 0.04, bytes: 9, kept: true }];
  const quantized = async (output: unknown, files: Record<string, string>) =>
    await new PipelineFolder(folder()).commit("04-quantize", "quantize", files, { output });

  test("come from quantize, with the times of its records", async () => {
    const made = await quantized({ tried, choices: [] }, { "records/rungs.json": '{"milliseconds": [12.5]}' });
    expect(await collectLadder(made)).toEqual([{ ...tried[0], milliseconds: 12.5 }]);
  });

  test("have no times where these were not kept", async () => {
    const made = await quantized({ tried, choices: [] }, { "records/rungs.json": "NaN" });
    expect(await collectLadder(made)).toEqual([{ ...tried[0], milliseconds: null }]);
  });

  test("are none for an artifact that does not tell", async () => {
    expect(await collectLadder(await quantized({ choices: [] }, {}))).toEqual([]);
    expect(await collectLadder(undefined)).toEqual([]);
  });
});

describe("the scores in TEI's runtime", () => {
  test("come from quantize, or are none", async () => {
    const graphs = [{ name: "fp32", relative_error: 0, largest_difference: 1e-6 }];
    const commit = async (tei_runtime: unknown) =>
      await new PipelineFolder(folder()).commit("04-quantize", "quantize", {}, { output: { tei_runtime } });
    expect(collectTeiRuntime(await commit({ version: "1.22.1", graphs }))).toEqual({ version: "1.22.1", graphs });
    expect(collectTeiRuntime(await commit(null))).toBeNull();
  });
});

describe("the scores in OpenVINO", () => {
  test("come with their times, or are none", async () => {
    const row = { precision: "bf16", relative_error: 0.01, moved_by_batch: 0.02 };
    const commit = async (openvino: unknown, times: string) =>
      await new PipelineFolder(folder()).commit(
        "04-quantize",
        "quantize",
        { "records/rungs.json": times },
        { output: { openvino } },
      );
    const made = await commit({ version: "2026.4.1", rows: [row] }, '{"milliseconds":[],"openvino":[7.5]}');
    expect(await collectOpenvino(made)).toEqual({ version: "2026.4.1", rows: [{ ...row, milliseconds: 7.5 }] });
    expect(await collectOpenvino(await commit(null, '{"milliseconds":[]}'))).toBeNull();
    expect(await collectOpenvino(undefined)).toBeNull();
  });
});

describe("which run is shown", () => {
  test("is the newest training, with what it was made from", async () => {
    const made = new PipelineFolder(folder());
    const prepare = await made.prepare();
    await made.train({ prepare, started: "2026-03-01T00:00:00.000Z", output: { best_step: 3 } });
    await made.train({
      prepare,
      started: "2026-02-01T00:00:00.000Z",
      tuned: [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    });
    expect(there((await collectReport(made.store, "r.yaml")).training).best_step).toBe(3);
  });

  test("never puts the verdict on another training beside it", async () => {
    const made = new PipelineFolder(folder());
    const prepare = await made.prepare();
    const older = await made.train({
      prepare,
      tuned: [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    });
    await made.verify(prepare, older, verified(null));
    await made.train({ prepare, started: "2026-03-01T00:00:00.000Z" });
    const { verdict, quality: rows, latency, tei_gpu } = await collectReport(made.store, "r.yaml");
    expect(tei_gpu).toBeNull();
    for (const part of [verdict, rows, latency]) expect(part).toMatchObject({ missing: /not been verified/ });
  });
});

describe("a part that is not there", () => {
  test("is a sentence: no prepared groups, no scores, another version's records", async () => {
    const made = new PipelineFolder(folder());
    const prepare = await made.prepare();
    await made.train({ prepare, tuned: [], history: "[]", output: { ended: undefined } });
    await expect(collectReport(made.store, "r.yaml")).resolves.toMatchObject({
      training: { missing: expect.stringMatching(/another version/) },
      gains: { missing: expect.stringMatching(/left no scores/) },
    });
    await rm(prepare.dir, { recursive: true });
    const without = await collectReport(made.store, "r.yaml");
    expect(without.gains).toMatchObject({ missing: expect.stringMatching(/no longer there/) });
    expect(renderReport(without)).not.toContain("<svg");
  });

  test("is the verdict of a verify that wrote none", async () => {
    const made = new PipelineFolder(folder());
    const prepare = await made.prepare();
    const { verdict: _, ...older } = verified(null);
    await made.verify(prepare, await made.train({ prepare }), older);
    const data = await collectReport(made.store, "r.yaml");
    expect(data.verdict).toMatchObject({ missing: expect.stringMatching(/another version/) });
    expect(isMissing(data.quality)).toBe(false);
  });

  test("are scores that are not numbers, and a test split without queries", async () => {
    const made = new PipelineFolder(folder());
    await made.train({
      prepare: await made.prepare(),
      tuned: [
        [0, Number.NaN],
        [0, 1],
        [0, 1],
      ],
    });
    const data = await collectReport(made.store, "r.yaml");
    expect(data.scores).toMatchObject({ missing: expect.stringMatching(/not numbers/) });
    expect(data.reliability).toEqual(data.scores);
    const empty = new PipelineFolder(join(folder(), "empty"));
    await empty.train({ prepare: await empty.prepare([]), tuned: [[0, 1]] });
    expect(await collectReport(empty.store, "r.yaml")).toMatchObject({
      gains: { missing: expect.stringMatching(/no queries/) },
      scores: { missing: expect.stringMatching(/no candidates/) },
    });
  });
});

describe("failures", () => {
  test("before the first training name the command to type", async () => {
    const made = new PipelineFolder(folder());
    await made.prepare();
    await expect(collectReport(made.store, "my.yaml")).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
      hint: expect.stringContaining("`rerank-tune train my.yaml`"),
    });
  });

  test("come from a file that changed or went after its stage had finished", async () => {
    const made = new PipelineFolder(folder());
    const train = await made.train({ prepare: await made.prepare() });
    const file = join(train.dir, "scores.tuned.test.tsv");
    await writeFile(file, "q1\tq1-no\t5\n");
    await expect(collectReport(made.store, "r.yaml")).rejects.toMatchObject({
      code: "ARTIFACT_CORRUPT",
      message: expect.stringContaining("was changed"),
    });
    await rm(file);
    await expect(collectReport(made.store, "r.yaml")).rejects.toMatchObject({
      message: expect.stringContaining("is missing"),
    });
  });

  test("come from scores that lack a candidate", async () => {
    const made = new PipelineFolder(folder());
    await made.train({
      prepare: await made.prepare(),
      tuned: [
        [0, 1],
        [0, 1],
      ],
    });
    await expect(collectReport(made.store, "r.yaml")).rejects.toMatchObject({ code: "DATA_INVALID" });
  });
});

describe("professional secrecy", () => {
  test("holds: no text, no name of a source, guard set or file, no path", async () => {
    const made = new PipelineFolder(folder());
    const prepare = await made.prepare();
    const train = await made.train({
      prepare,
      base: [
        [0, 2],
        [3, 0],
        [0, 1],
      ],
      sweep: SWEEP.replaceAll("guard-b", "guard-mandant-muster"),
    });
    const mixed = groups.map((group, index) => ({ ...group, source: index === 0 ? "Muster Treuhand" : "Beispiel AG" }));
    const tuned = await readScores(join(train.dir, "scores.tuned.test.tsv"));
    const guards = [{ name: "mandant-muster", groups, tuned }];
    await made.verify(
      prepare,
      train,
      verified(judgeTuned({ groups: mixed, tuned, base: undefined, guards, guardMaxDrop: 0.01 })),
    );
    const data = await collectReport(made.store, "r.yaml");
    const page = renderReport(data);
    expect(page).toContain("source: number 2");
    expect(page).toContain("guard set 1");
    expect(page).toContain("guard set 2, points");
    for (const text of [page, JSON.stringify(data)]) {
      expect(text).not.toMatch(new RegExp(`${SECRET}|muster|beispiel`, "i"));
      expect(text).not.toContain(folder());
    }
  });

  test("keeps paths out of the options", () => {
    const options = {
      run: "runs/muster.trec",
      file: "C:\\data\\x",
      from: ["source:a", "source:b"],
      seed: 7,
      list: [1, 2],
      none: null,
    };
    expect(flatOptions("prepare", options)).toEqual([
      ["prepare.seed", "7"],
      ["prepare.list", "1, 2"],
    ]);
  });
});

describe("history lines", () => {
  test("of another form are none at all", () => {
    expect(["", "not json", '{"loss": 1}', '{"step": -1}'].map(historyRows)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
