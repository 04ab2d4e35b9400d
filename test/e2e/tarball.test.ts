// The product as a stranger gets it: packed, installed in an empty folder, run on a tiny model, loaded by every consumer.
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeTinyPairs } from "../helpers/tiny-data.js";

const ROOT = resolve(import.meta.dirname, "../..");
const python = process.env.RERANK_TUNE_TEST_PYTHON ?? "";
const PAIRS: [string, string][] = [
  ["what is the deadline of case 3?", "The deadline of the appeal in general is stated in section 3."],
  ["Wie hoch ist die Miete?", "Der Mieter kann die Miete mindern, wenn die Wohnung einen Mangel aufweist."],
  ["pneumonia", "The risk of the fracture as a rule is stated in section 12."],
  ["quel est le délai ?", "Le salarié bénéficie d'un congé payé."],
];

interface Variant {
  name: string;
  "ndcg@10": number;
  "ndcg@10_interval": [number, number];
  "mrr@10": number;
  "recall@5": number;
  pairs_per_second: number;
  bytes: number;
}
interface RunData {
  variants: Variant[];
  package: string;
  tei_package: string;
  version: string;
  stages: { name: string; status: string; reason: string; seconds: number }[];
}

interface StudentData extends RunData {
  verdict: { advice: string; student: { kept_layers: number[]; teacher_layers: number } };
  student: { latency: { variant: string }[] };
}

let home: string;
let command: string;
let recipe: string;

const run = (...args: string[]) => execa(command, args, { cwd: home, reject: false });

async function runJson<Data>(...args: string[]): Promise<Data> {
  const { stdout, stderr } = await run(...args, "--json");
  const answer = JSON.parse(stdout) as { ok: boolean; data: Data; error?: unknown };
  expect(answer.ok, `${JSON.stringify(answer.error)}\n${stderr}`).toBe(true);
  return answer.data;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "rerank-tune-e2e-"));
  const { stdout } = await execa("npm", ["pack", "--json", "--pack-destination", home], { cwd: ROOT });
  const packed = JSON.parse(stdout) as { filename: string }[];
  await execa("npm", ["init", "--yes"], { cwd: home });
  await execa("npm", ["install", join(home, packed[0]?.filename ?? "")], { cwd: home });
  command = join(home, "node_modules/.bin/rerank-tune");
  await execa(python, [join(ROOT, "python/tests/tiny_models.py"), "xlm-roberta", join(home, "base")]);
  await writeTinyPairs(join(home, "pairs.jsonl"));
  recipe = join(home, "tiny.yaml");
  const train = "{ learning_rate: 1.0e-3, epochs: 2, max_length: 64, evaluations: 2 }";
  await writeFile(
    recipe,
    `schema: 1\nname: tiny\nbase_model: { path: base }\nprepare: { source: pairs.jsonl, split: { dev: 0.2, test: 0.3 } }\ntrain: ${train}\nverify: { latency: { budget_seconds: 2, candidates: [10] } }\npublish: { against_verdict: true }\n`,
  );
}, 300_000);

afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

describe("the packed tarball", () => {
  test("installs without onnxruntime-node and its install script", () => {
    const lock = JSON.parse(readFileSync(join(home, "package-lock.json"), "utf8")) as {
      packages: Record<string, unknown>;
    };
    expect(Object.keys(lock.packages).filter((name) => name.includes("onnxruntime"))).toEqual([]);
  });

  test("validates, plans, and publishes a verified model", { timeout: 300_000 }, async () => {
    await runJson("validate", recipe);
    const plan = await runJson<{ stages: { name: string; status: string }[] }>("run", recipe, "--dry-run");
    expect(plan.stages.map(({ status }) => status)).toEqual(Array(7).fill("run"));
    const data = await runJson<RunData>("run", recipe);
    expect(data.variants.map(({ name }) => name)).toEqual(["first_stage", "base", "tuned", "fp32", "int8", "fp16"]);
    expect(data.version).toMatch(/^tiny@sha256:[0-9a-f]{64}$/);
    expect(data.stages.map(({ status }) => status)).toEqual(Array(7).fill("done"));
    writeFileSync(join(home, "data.json"), JSON.stringify(data));
  });

  test("does nothing again when nothing changed, in under two seconds", async () => {
    const started = performance.now();
    const data = await runJson<RunData>("run", recipe);
    expect(data.stages.map(({ status }) => status)).toEqual(Array(7).fill("cached"));
    expect((performance.now() - started) / 1000).toBeLessThan(2);
  });

  test("repeats the proof on the folder alone", { timeout: 120_000 }, async () => {
    const data = JSON.parse(readFileSync(join(home, "data.json"), "utf8")) as RunData;
    type Report = { outcome: string; latency: { candidates: number }[] };
    const candidatesOf = ({ latency }: Report) => [...new Set(latency.map(({ candidates }) => candidates))];
    const report = await runJson<Report>("verify", data.package);
    expect(report.outcome).not.toBe("failed");
    expect(candidatesOf(report), "the recipe's options travel in the folder").toEqual([10]);
    const other = await runJson<Report>("verify", data.package, "--set", "verify.latency.candidates=[3, 4]");
    expect(candidatesOf(other)).toEqual([3, 4]);
  });

  test("pulls the same bytes back out of the registry, and they prove themselves", { timeout: 120_000 }, async () => {
    const pulled = join(home, "pulled");
    await runJson("registry", "pull", "tiny:latest", pulled);
    const data = JSON.parse(readFileSync(join(home, "data.json"), "utf8")) as RunData;
    for (const name of ["model.safetensors", "onnx/model.onnx", "onnx/model_quantized.onnx", "tokenizer.json"])
      expect((await readFile(join(pulled, name))).equals(await readFile(join(data.package, name))), name).toBe(true);
    await runJson("registry", "verify");
    expect((await runJson<{ outcome: string }>("verify", pulled)).outcome).not.toBe("failed");
  });
});

describe("a student of the packaged model", () => {
  test("has its layer, is judged by what it keeps and raced against its teacher", { timeout: 300_000 }, async () => {
    const teacher = JSON.parse(readFileSync(join(home, "data.json"), "utf8")) as RunData;
    const student = [
      "name=tiny-student",
      "train.student={ keep: [0] }",
      "quantize={ int8: false, fp16: false }",
      `base_model={ path: ${JSON.stringify(teacher.package)} }`,
    ];
    const data = await runJson<StudentData>("run", recipe, ...student.flatMap((set) => ["--set", set]));
    expect(data.verdict.student).toMatchObject({ kept_layers: [0], teacher_layers: 2 });
    expect(["take the student", "keep the teacher"]).toContain(data.verdict.advice);
    expect(data.variants.find(({ name }) => name === "base")).toMatchObject({
      "ndcg@10": teacher.variants.find(({ name }) => name === "tuned")?.["ndcg@10"],
    });
    expect(data.student.latency.map(({ variant }) => variant)).toEqual(["fp32"]);
    const config = JSON.parse(readFileSync(join(data.package, "config.json"), "utf8")) as Record<string, unknown>;
    expect(config.num_hidden_layers).toBe(1);
  });
});

describe("every consumer scores the package alike", () => {
  const data = () => JSON.parse(readFileSync(join(home, "data.json"), "utf8")) as RunData;
  const pairsFile = () => {
    writeFileSync(join(home, "pairs.json"), JSON.stringify(PAIRS));
    return join(home, "pairs.json");
  };

  async function pythonScores(folder: string, ...more: string[]): Promise<Record<string, number[]>> {
    const { stdout } = await execa(python, [
      join(ROOT, "test/e2e/consumers.py"),
      folder,
      pairsFile(),
      process.env.RERANK_TUNE_TEST_PACKAGES ?? "",
      ...more,
    ]);
    return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, number[]>;
  }

  /** Our own scorer, the one verify uses. */
  async function ownScores(folder: string): Promise<Record<string, number[]>> {
    const { Scorer } = await import("../../src/inference/scorer.js");
    const { VARIANT_FILES } = await import("../../src/model-folder/layout.js");
    const found: Record<string, number[]> = {};
    for (const [name, file] of Object.entries(VARIANT_FILES)) {
      const scorer = await Scorer.start({
        folder,
        variantFile: file,
        maxLength: 64,
        provider: "cpu",
        threads: 1,
        signal: new AbortController().signal,
      });
      found[name] = [];
      for (const [query, passage] of PAIRS) found[name].push(...(await scorer.score(query, [passage])));
      await scorer.close();
    }
    return found;
  }

  const largest = (left: readonly number[] = [], right: readonly number[] = []): number =>
    Math.max(...left.map((value, index) => Math.abs(value - (right[index] ?? Number.NaN))));

  test("PyTorch, sentence-transformers, onnxruntime 1.30 and ours agree", { timeout: 120_000 }, async () => {
    const own = await ownScores(data().package);
    const theirs = await pythonScores(data().package);
    for (const name of ["transformers", "sentence-transformers", "onnxruntime-1.30.0-fp32"])
      expect(largest(own.fp32, theirs[name]), name).toBeLessThan(1e-4);
    expect(largest(own.int8, theirs["onnxruntime-1.30.0-int8"])).toBeLessThan(1e-4);
    expect(largest(own.fp16, theirs["onnxruntime-1.30.0-fp16"])).toBeLessThan(1e-2);
  });

  test("onnxruntime 1.22, which TEI embeds, agrees on both folders", { timeout: 120_000 }, async () => {
    const own = await ownScores(data().package);
    const old = process.env.RERANK_TUNE_TEST_ORT122 ?? "";
    const theirs = await pythonScores(data().package, old);
    expect(largest(own.fp32, theirs["onnxruntime-1.22.0-fp32"])).toBeLessThan(1e-4);
    expect(largest(own.int8, theirs["onnxruntime-1.22.0-int8"])).toBeLessThan(5e-2);
    const tei = await pythonScores(data().tei_package, old);
    expect(tei["onnxruntime-1.22.0-fp32"]).toEqual(theirs["onnxruntime-1.22.0-int8"]);
  });

  test("@huggingface/transformers agrees in fp32, fp16 and q8", { timeout: 120_000 }, async () => {
    const own = await ownScores(data().package);
    const { stdout } = await execa(process.execPath, [
      join(ROOT, "test/e2e/consumer.mjs"),
      data().package,
      pairsFile(),
    ]);
    const theirs = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, number[]>;
    expect(largest(own.fp32, theirs.fp32)).toBeLessThan(1e-4);
    expect(largest(own.fp16, theirs.fp16)).toBeLessThan(1e-2);
    expect(largest(own.int8, theirs.q8)).toBeLessThan(5e-2);
  });
});
