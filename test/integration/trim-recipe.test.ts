// A recipe with `trim`, as a process on a tiny model: the smaller vocabulary is what is trained, exported, verified and shipped.
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { folderPerTest } from "../helpers/folder-per-test.js";
import { writeTinyPairs } from "../helpers/tiny-data.js";
import { readWeights } from "../helpers/trimmable-model.js";

const ROOT = resolve(import.meta.dirname, "../..");
const CLI = join(ROOT, "dist", "cli.js");
const PYTHON = process.env.RERANK_TUNE_TEST_PYTHON ?? "python3";
const folder = folderPerTest();
const place = (...names: string[]) => join(folder(), ...names);

beforeAll(async () => {
  await execa(process.execPath, [join(ROOT, "src", "bootstrap.mjs"), "build"]);
}, 120_000);

const RECIPE = `schema: 1
name: tiny
base_model: { path: base }
prepare: { source: pairs.jsonl, split: { dev: 0.2, test: 0.3 } }
trim: { corpus: logs.txt, languages: [en], keep: used }
train: { learning_rate: 1.0e-3, epochs: 1, max_length: 64, evaluations: 2 }
quantize: { int8: false, fp16: false }
verify: { latency: { budget_seconds: 1, candidates: [10] } }
publish: { against_verdict: true }
`;

async function runJson<Data>(...args: string[]): Promise<Data> {
  const { stdout, stderr } = await execa(process.execPath, [CLI, ...args, "--json"], { cwd: folder(), reject: false });
  const answer = JSON.parse(stdout) as { ok: boolean; data: Data; error?: unknown };
  expect(answer.ok, `${JSON.stringify(answer.error)}\n${stderr}`).toBe(true);
  return answer.data;
}

const json = async (...names: string[]) => JSON.parse(await readFile(join(...names), "utf8"));

describe("a recipe that trims its base", () => {
  test("ships the smaller vocabulary, proven and accounted for, and is cached", { timeout: 300_000 }, async () => {
    await execa(PYTHON, [join(ROOT, "python/tests/tiny_models.py"), "xlm-roberta", place("base")]);
    await writeTinyPairs(place("pairs.jsonl"), 40);
    await writeFile(place("logs.txt"), "Die Kündigung bedarf der Schriftform\n");
    await writeFile(place("tiny.yaml"), RECIPE);
    type Run = { package: string; stages: { status: string }[] };
    const { package: shipped, stages } = await runJson<Run>("run", "tiny.yaml");
    expect(stages.map(({ status }) => status)).toEqual(Array(7).fill("done"));

    const { trim } = (await json(shipped, "rerank-tune.json")).training;
    const before = (await json(place("base"), "tokenizer.json")).model.vocab.length;
    const { vocab } = (await json(shipped, "tokenizer.json")).model as { vocab: [string][] };
    const pieces = vocab.map(([piece]) => piece);
    expect(trim).toMatchObject({ pieces: { before, after: vocab.length }, languages: ["en"] });
    expect(trim.unseen.texts).toBeGreaterThan(0);
    expect(vocab.length).toBeLessThan(before);
    expect(pieces.join("")).toContain("ü"); // of logs.txt
    expect(pieces.join("")).not.toMatch(/\p{Script=Cyrillic}|\p{Script=Han}/u);
    expect((await json(shipped, "config.json")).vocab_size).toBe(vocab.length);
    const weights = await readWeights(join(shipped, "model.safetensors"));
    expect(weights["roberta.embeddings.word_embeddings.weight"]?.shape[0]).toBe(vocab.length);

    const manifest = await readFile(join(shipped, "rerank-tune.json"), "utf8");
    expect(JSON.parse(manifest).recipe.trim).toEqual({ languages: ["en"], keep: "used" });
    expect(manifest).not.toContain("logs.txt");
    const trained = (await readdir(place("artifacts/tiny/02-train"))).filter((name) => !name.includes("."));
    expect(existsSync(place("artifacts/tiny/02-train", trained[0] ?? "", "trimmed-base"))).toBe(false);
    expect((await runJson<{ outcome: string }>("verify", shipped)).outcome).not.toBe("failed");

    const { stages: again } = await runJson<Run>("run", "tiny.yaml");
    expect(again.map(({ status }) => status)).toEqual(Array(7).fill("cached"));
    await writeFile(place("logs.txt"), "congé payé\n");
    const plan = await runJson<{ stages: { reason: string }[] }>("run", "tiny.yaml", "--dry-run");
    expect(plan.stages[1]?.reason).toBe("trim.corpus has other content");
  });
});
