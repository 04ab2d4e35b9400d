import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashFile, listFiles } from "../../../../src/artifacts/hash.js";
import type { Group } from "../../../../src/dataset/groups.js";
import type { StageEvent } from "../../../../src/events.js";
import { loadTokenizer } from "../../../../src/inference/tokenizer.js";
import type { Scores } from "../../../../src/ranking/scores.js";
import { type VerifyOptions, verifySchema } from "../../../../src/stages/verify/schema.js";
import { verdictText } from "../../../../src/stages/verify/verdict.js";
import { type VerifyRequest, verifyFolder } from "../../../../src/stages/verify/verify-folder.js";
import {
  compiledScorerProcess,
  expectedSum,
  groupsRankedBy,
  MAX_LENGTH,
  writePackage,
} from "../../../helpers/scorer-package.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const child = compiledScorerProcess();
const OPTIONS: VerifyOptions = verifySchema.parse({
  latency: { budget_seconds: 0.4, candidates: [2, 4], gate_candidates: 4 },
  providers: ["cpu"],
});
const events: StageEvent[] = [];

async function check(folder: string, extra: Partial<VerifyRequest> = {}) {
  events.length = 0;
  return verifyFolder({
    folder,
    options: OPTIONS,
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    processFile: child.file(),
    ...extra,
  });
}

async function packageWithData(
  graphs: Parameters<typeof writePackage>[1],
  queries = 30,
): Promise<{ folder: string; groups: Group[]; tuned: Scores }> {
  const folder = await temporaryFolder();
  await writePackage(folder, graphs);
  const tokenizer = await loadTokenizer(folder);
  const score = (query: string, passage: string) => expectedSum(tokenizer.encodePair(query, passage, MAX_LENGTH).ids);
  const groups = groupsRankedBy(score, queries);
  const tuned: Scores = new Map(
    groups.map(({ query_id, query, passages }) => [
      query_id,
      new Map(passages.map(({ id, text }) => [id, score(query, text)])),
    ]),
  );
  return { folder, groups, tuned };
}

const gate = (output: Awaited<ReturnType<typeof check>>, variant: string, name: string) =>
  output.variants.find((report) => report.name === variant)?.gates.find((found) => found.gate === name);

describe("a student", () => {
  const student = { kept_layers: [0], teacher_layers: 2 };
  const withTeacher = (teacher_dir: string) => ({ options: { ...OPTIONS, teacher_dir }, student });
  const scoresOfBase = { base_pairs_per_second: 50, tuned_pairs_per_second: 100 };

  test("is raced against the variants that its teacher's package has, and weighed against it", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "sum" }, 5);
    const teacher = (await packageWithData({ fp32: "sum" }, 1)).folder;
    const references = { tuned, base: tuned, ...scoresOfBase };
    const output = await check(folder, { groups, references, ...withTeacher(teacher) });
    expect(new Set(output.latency.map(({ variant }) => variant))).toEqual(new Set(["fp32", "teacher fp32", "int8"]));
    expect(output.student?.latency.map(({ variant, candidates }) => [variant, candidates])).toEqual([
      ["fp32", 2],
      ["fp32", 4],
    ]);
    expect(output.verdict).toMatchObject({ outcome: "within_limit", student: { share: 1, kept_layers: [0] } });
    expect(verdictText(output)).not.toContain("p50");
    expect(events).toContainEqual({ type: "note", message: `speed: ${output.student?.summary}` });
  });

  test("of a teacher that is no package is compared by PyTorch alone, and the sizes are each model's own", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum" }, 5);
    const teacher = await temporaryFolder();
    await writeFile(join(teacher, "model.safetensors"), "0123456789");
    const output = await check(folder, {
      groups,
      references: { tuned, base: tuned, ...scoresOfBase },
      ...withTeacher(teacher),
    });
    expect(output.student).toMatchObject({ latency: [], pytorch_times: 2 });
    expect([output.base?.bytes, output.tuned?.bytes === 10]).toEqual([10, false]);
    expect(events).toContainEqual({ type: "note", message: expect.stringContaining("is no package of rerank-tune") });
  });

  test("of a teacher whose package was changed says so and goes on", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum" }, 5);
    const teacher = (await packageWithData({ fp32: "sum" }, 1)).folder;
    await writeFile(join(teacher, "onnx", "model.onnx"), "changed");
    const output = await check(folder, { groups, references: { tuned, base: tuned }, ...withTeacher(teacher) });
    expect(output.student).toMatchObject({ latency: [], pytorch_times: null });
    expect(events).toContainEqual({ type: "warning", message: expect.stringContaining("cannot be verified") });
  });
});

describe("a sound package", () => {
  test("passes with all variants, its quality, and the table's rows", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "sum", fp16: "sum" });
    const output = await check(folder, { groups, references: { tuned, tuned_pairs_per_second: 12 } });
    expect(output).toMatchObject({
      outcome: "passed",
      passing: ["fp32", "int8", "fp16"],
      tokenizer: { mismatches: 0 },
      tuned: { "ndcg@10": 1, pairs_per_second: 12 },
      base: null,
    });
    expect(output.variants[0]).toMatchObject({
      quality: { "ndcg@10": 1, "mrr@10": 1 },
      spearman: 1,
      top1_flips: 0,
      ndcg_difference: { mean: 0 },
    });
    expect(output.first_stage?.["ndcg@10"]).toBeLessThan(1);
    expect(output.verdict).toMatchObject({ outcome: "improved", against: "first_stage", comparison: { losses: 0 } });
    expect(events).toContainEqual({ type: "note", message: output.verdict?.summary });
    expect(output.latency).toHaveLength(6);
  });

  test("is not changed in any byte", async () => {
    const { folder, groups } = await packageWithData({ fp32: "sum" }, 5);
    const digests = async () =>
      Promise.all((await listFiles(folder)).map(async (file) => [file, await hashFile(join(folder, file))]));
    const before = await digests();
    await check(folder, { groups });
    expect(await digests()).toEqual(before);
  });

  test("is proven without data on its golden pairs", async () => {
    const folder = await temporaryFolder();
    await writePackage(folder, { fp32: "sum", int8: "sum" });
    const output = await check(folder);
    expect(output).toMatchObject({ outcome: "passed", verdict: null, first_stage: null, tuned: null });
    expect(output.variants.map(({ quality, pairs_per_second }) => [quality, pairs_per_second])).toEqual([
      [null, null],
      [null, null],
    ]);
    expect(output.latency.length).toBeGreaterThan(0);
  });

  test("is held against its own fp32 graph when there are no reference scores", async () => {
    const { folder, groups } = await packageWithData({ fp32: "sum", int8: "reversed" });
    const output = await check(folder, { groups });
    expect(output.variants.map(({ spearman }) => spearman)).toEqual([null, -1]);
    expect(output.verdict).toBeNull();
  });

  test("leaves its report beside it and repeats its verdict to the byte", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "sum" }, 5);
    const reportFile = join(await temporaryFolder(), "records", "report.json");
    const first = await check(folder, { groups, references: { tuned }, reportFile });
    expect(JSON.parse(await readFile(reportFile, "utf8"))).toEqual({ schema: 1, ...first });
    expect(verdictText(await check(folder, { groups, references: { tuned } }))).toBe(verdictText(first));
  });
});

describe("a tuned model", () => {
  test("that ranks as its base does is not worth having, and its variants still pass", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum" }, 5);
    const output = await check(folder, { groups, references: { tuned, base: tuned } });
    expect(output).toMatchObject({ outcome: "passed", passing: ["fp32"], verdict: { outcome: "no_significant_gain" } });
    expect(events).toContainEqual({ type: "warning", message: expect.stringMatching(/^keep the base: /) });
    expect(JSON.parse(verdictText(output)).verdict).toEqual(output.verdict);
  });

  test("that loses on a guard set fails as a whole", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum" }, 20);
    const reversed: Scores = new Map(
      [...tuned].map(([query, scores]) => [query, new Map([...scores].map(([id, score]) => [id, -score]))]),
    );
    const guards = [{ name: "general", groups, tuned: reversed, base: tuned }];
    const output = await check(folder, { groups, references: { tuned, guards } });
    expect(output).toMatchObject({ outcome: "failed", passing: ["fp32"] });
    expect(output.verdict?.guards[0]).toMatchObject({ name: "general", gate: { outcome: "failed" } });
    expect(events).toContainEqual({
      type: "warning",
      message: expect.stringContaining("guard general: guard_max_drop failed"),
    });
  });
});

describe("a broken variant", () => {
  test("that ranks worse fails alone, by the NDCG gate, and the others go on", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "reversed", fp16: "sum" });
    const output = await check(folder, { groups, references: { tuned } });
    expect(output).toMatchObject({ outcome: "failed", passing: ["fp32", "fp16"] });
    expect(gate(output, "int8", "ndcg_max_drop")).toMatchObject({ outcome: "failed", missed_by: expect.any(Number) });
    expect(events).toContainEqual({
      type: "warning",
      message: expect.stringContaining("int8 on cpu: ndcg_max_drop failed"),
    });
  });

  test("whose score depends on its batch mates fails the batch gate", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "batch" }, 5);
    const output = await check(folder, { groups, references: { tuned } });
    expect(gate(output, "int8", "batch_invariance")?.outcome).toBe("failed");
    expect(gate(output, "int8", "padding_invariance")?.outcome).toBe("passed");
  });

  test("whose score depends on padding fails the padding gate", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "padding" }, 5);
    expect(gate(await check(folder, { groups, references: { tuned } }), "int8", "padding_invariance")?.outcome).toBe(
      "failed",
    );
  });

  test("that gives scores that are not numbers fails the finite gate, and its report is JSON", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "nan" }, 5);
    const output = await check(folder, { groups, references: { tuned } });
    expect(gate(output, "int8", "finite")?.outcome).toBe("failed");
    expect(JSON.parse(JSON.stringify(output))).toEqual(output);
  });
});

describe("a broken fp32 graph", () => {
  test("fails everything that is derived from it", async () => {
    const folder = await temporaryFolder();
    await writePackage(folder, { fp32: "sum", int8: "sum" }, (pairs) => {
      (pairs[0] as { logit: number }).logit += 0.01;
    });
    const output = await check(folder);
    expect(output).toMatchObject({ outcome: "failed", passing: [] });
    expect(gate(output, "fp32", "fp32_max_abs_diff")?.measured).toBeCloseTo(0.01, 5);
    expect(gate(output, "int8", "fp32")?.outcome).toBe("failed");
  });

  test("is what a tokenizer with other ids on ordinary text makes of it", async () => {
    const folder = await temporaryFolder();
    await writePackage(folder, { fp32: "sum" }, (pairs) => pairs[5]?.input_ids.splice(1, 1, 7));
    const output = await check(folder);
    expect(output).toMatchObject({ passing: [], tokenizer: { mismatches: 1, ordinary: ["pair 5"] } });
  });
});

describe("optional gates", () => {
  const withGates = (gates: Partial<VerifyOptions["gates"]>): VerifyOptions => ({
    ...OPTIONS,
    gates: { ...OPTIONS.gates, ...gates },
  });

  test("of speed fail an int8 graph that is not fast enough", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "sum" }, 5);
    const output = await check(folder, { groups, references: { tuned }, options: withGates({ min_speedup: 50 }) });
    expect(output).toMatchObject({ outcome: "failed", passing: ["fp32"] });
  });

  test("of latency fail every variant when the fastest is too slow", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "sum" }, 5);
    const output = await check(folder, { groups, references: { tuned }, options: withGates({ p95_ms: 0.001 }) });
    expect(output.passing).toEqual([]);
  });

  test("of latency are met by the fastest variant alone", async () => {
    const { folder, groups, tuned } = await packageWithData({ fp32: "sum", int8: "sum" }, 5);
    const limits = withGates({ p95_ms: 10_000 });
    // On a machine that is busy with something else a size may not be reached within a short budget, and is then no pass.
    const options = { ...limits, latency: { ...limits.latency, budget_seconds: 4, candidates: [4] } };
    const output = await check(folder, { groups, references: { tuned }, options });
    expect(output.variants.flatMap(({ gates }) => gates).filter(({ gate }) => gate === "p95_ms")).toMatchObject([
      { outcome: "passed" },
    ]);
  });
});

test("every variant is measured on all queries, so that the rows of a table can be compared", async () => {
  const { folder, groups, tuned } = await packageWithData({ fp32: "sum", fp16: "sum" }, 220);
  const output = await check(folder, { groups, references: { tuned } });
  expect(output.variants.map(({ quality }) => quality?.queries)).toEqual([220, 220]);
});

test("reference scores that lack a candidate are refused", async () => {
  const { folder, groups, tuned } = await packageWithData({ fp32: "sum" }, 5);
  tuned.delete("q3");
  await expect(check(folder, { groups, references: { tuned } })).rejects.toMatchObject({
    code: "DATA_INVALID",
    message: expect.stringContaining("q3"),
  });
});
