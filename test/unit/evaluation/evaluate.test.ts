import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type EvaluateFlags, evaluateModel, evaluationText } from "../../../src/commands/evaluate.js";
import { type Evaluation, type EvaluationRequest, evaluate } from "../../../src/evaluation/index.js";
import type { StageEvent } from "../../../src/events.js";
import { loadTokenizer } from "../../../src/inference/tokenizer.js";
import { compiledScorerProcess, expectedSum, MAX_LENGTH, writeModelFolder } from "../../helpers/scorer-package.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";
import { PASSAGES, RUN, writeBeir } from "./beir-folder.js";

const child = compiledScorerProcess();
const plain = (text: string) => text;

/** Stands for the score job: a passage's score is the number of its words. */
const WORKER = `
import json, os, sys
job = json.load(open(sys.argv[2], encoding="utf-8"))
def send(type, seq, **fields):
    print(json.dumps({"v": 1, "seq": seq, "time": 0, "job": "score", "type": type, **fields}), flush=True)
send("hello", 0, worker_version="0", python="3", packages={}, device="cpu")
if "refuse" in job["inputs"]["model"]:
    send("error", 1, code="MODEL_UNSUPPORTED", message="it has 3 labels", hint="name a reranker", retryable=False, traceback_file=None)
    sys.exit(1)
groups = [json.loads(line) for line in open(job["inputs"]["groups"], encoding="utf-8")]
with open(os.path.join(job["out_dir"], "scores.tsv"), "w", encoding="utf-8") as file:
    for group in groups:
        for passage in group["passages"]:
            file.write(f'{group["query_id"]}\\t{passage["id"]}\\t{len(passage["text"].split())}\\n')
pairs = sum(len(group["passages"]) for group in groups)
send("done", 1, outputs={"pairs": pairs, "pairs_at_max_length": 2, "seconds": 0.5, "device": "cpu"}, metrics={}, durations={})
`;

async function request(model: string, more: Partial<EvaluationRequest> = {}): Promise<EvaluationRequest> {
  const folder = await temporaryFolder();
  const worker = join(folder, "worker.py");
  await writeFile(worker, WORKER);
  return {
    model,
    data: await writeBeir(join(folder, "beir"), { "my.trec": RUN }),
    split: "dev",
    run: join(folder, "beir", "my.trec"),
    signal: new AbortController().signal,
    emit: () => undefined,
    python: async () => ({ executable: process.env.RERANK_TUNE_TEST_PYTHON ?? "python3", worker, variables: {} }),
    processFile: child.file(),
    ...more,
  };
}

async function plainModel(name = "model"): Promise<string> {
  const folder = join(await temporaryFolder(), name);
  await mkdir(folder);
  await writeFile(join(folder, "config.json"), "{}");
  return folder;
}

async function graphModel(graph: "sum" | "nan"): Promise<string> {
  const folder = await temporaryFolder();
  await writeModelFolder(folder, { fp32: graph });
  return folder;
}

describe("a folder with ONNX graphs", () => {
  test("is scored by its graph, and the run says each candidate's score", async () => {
    const model = await graphModel("sum");
    const out = join(await temporaryFolder(), "out.trec");
    const found = await evaluate(await request(model, { maxLength: MAX_LENGTH, out }));
    expect(found).toMatchObject({ queries: 3, candidates: 6, depth: 3, out, device: "cpu", sample: null });
    expect(found.model).toEqual({ folder: model, variant: "fp32", max_length: MAX_LENGTH });
    const tokenizer = await loadTokenizer(model);
    const rows = (await readFile(out, "utf8")).trim().split("\n");
    const ofQuery = rows.map((row) => row.split(" ")).filter(([query]) => query === "q1");
    expect(ofQuery).toHaveLength(3);
    for (const [, , id = "", , score] of ofQuery) {
      const { ids } = tokenizer.encodePair("appeal deadline", PASSAGES[id] as string, MAX_LENGTH);
      expect(Number(score)).toBeCloseTo(expectedSum(ids), 4);
    }
  });

  test("scores what does not fit cut, and counts it", async () => {
    const found = await evaluate(await request(await graphModel("sum"), { maxLength: 8 }));
    expect(found.pairs_at_max_length).toBe(6);
  });

  test("warns of scores that are not numbers and ranks them last", async () => {
    const events: StageEvent[] = [];
    const emit = (event: StageEvent) => void events.push(event);
    const found = await evaluate(await request(await graphModel("nan"), { emit }));
    expect(found.scores_not_finite).toBeGreaterThan(0);
    expect(events.filter(({ type }) => type === "warning")).toHaveLength(1);
  });
});

describe("a plain transformers folder", () => {
  test("is scored by the Python worker; missed passages stay in the ideal, queries without a relevant one count 0", async () => {
    const found = await evaluate(await request(await plainModel()));
    // Words: d1 5, d4 5, d5 3; d4 stands before d1 by its id, so q1 is best ranked; q2 has nothing relevant; q3 is perfect.
    const ideal = 2 + 1 / Math.log2(3);
    expect(found.metrics["ndcg@10"]).toBeCloseTo((2 / ideal + 0 + 1) / 3, 12);
    expect(found.first_stage["ndcg@10"]).toBeCloseTo((2 / Math.log2(3) / ideal + 0 + 1) / 3, 12);
    expect(found.metrics["recall@5"]).toBeCloseTo((1 / 2 + 0 + 1) / 3, 12);
    expect(found.difference["mrr@10"].mean).toBeCloseTo((1 - 1 / 2) / 3, 12);
    expect(found.metrics.tie_rate).toBe(2 / 6);
    expect(found).toMatchObject({
      relevant: 4,
      missed: 2,
      queries_without_relevant_candidate: 1,
      queries_without_candidates: 0,
      pairs_at_max_length: 2,
      pairs_per_second: 12,
    });
  });

  test("leaves nothing in the temporary folder, and a refusal leaves no text", async () => {
    const [fine, refused] = [await request(await plainModel()), await request(await plainModel("refuse"))];
    const temporary = await temporaryFolder();
    vi.stubEnv("TMPDIR", temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    await evaluate(fine);
    expect(await readdir(temporary)).toEqual([]);
    await expect(evaluate(refused)).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED", message: "it has 3 labels" });
    const [left = ""] = await readdir(temporary);
    expect(await readdir(join(temporary, left))).toEqual(["records"]);
  });
});

describe("the command", () => {
  const flags = async (more: Partial<EvaluateFlags> = {}): Promise<[EvaluateFlags, EvaluationRequest]> => {
    const wanted = await request(await plainModel());
    const { model, data, run } = wanted;
    return [{ model, data, split: "dev", ...(run === undefined ? {} : { run }), ...more }, wanted];
  };

  test("gives the metrics of both as data, and NDCG@10 as the one value", async () => {
    const [given, wanted] = await flags({ queries: 2 });
    const { data, essential } = await evaluateModel(given, { ...wanted, home: "" });
    const found = data as Evaluation;
    expect(found.sample).toEqual({ queries: 2, of: 3, seed: 7 });
    expect([typeof found.metrics["ndcg@10"], typeof found.first_stage["ndcg@10"], found.run]).toEqual([
      "number",
      "number",
      given.run,
    ]);
    expect(essential).toBe(((found.metrics["ndcg@10"] as number) * 100).toFixed(2));
  });

  test("shows no minus sign before a zero", async () => {
    const [given, wanted] = await flags();
    const found = (await evaluateModel(given, { ...wanted, home: "" })).data as Evaluation;
    found.difference["recall@5"] = { mean: -1e-17, interval: [-0.01, 1e-9] };
    expect(evaluationText(found, plain)).toMatch(/\nrecall@5 .* 0\.00 \[-1\.00, 0\.00\]\n/);
  });

  test("prints a table of 80 columns with every metric and no text of the data", async () => {
    const [given, wanted] = await flags();
    const { data, text } = await evaluateModel(given, { ...wanted, home: "" });
    const found = { ...(data as Evaluation), data: "beir", run: "beir/my.trec" };
    found.model.folder = "model";
    const printed = evaluationText(found, plain);
    expect(printed.split("\n").filter((line) => line.length > 80)).toEqual([]);
    for (const name of Object.keys(found.metrics).filter((metric) => !metric.includes("tie")))
      expect(printed).toContain(`\n${name} `);
    expect(printed).toMatch(/\nndcg@10 +49\.32 +58\.67 +\+9\.35 \[/);
    expect(text(plain)).not.toContain("appeal");
  });
});

describe("bad input", () => {
  test("a data folder that is not there is refused", async () => {
    await expect(evaluate(await request(await plainModel(), { data: "nowhere" }))).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
    });
  });

  test("a run that cannot be written is refused before anything is scored", async () => {
    const python = () => Promise.reject(new Error("must not be asked for"));
    const data = await temporaryFolder();
    await expect(evaluate(await request(await plainModel(), { python, out: data }))).rejects.toMatchObject({
      code: "NOT_WRITABLE",
    });
  });
});
