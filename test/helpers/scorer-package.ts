// A packaged folder around the graphs of test/fixtures/scorer-models, whose scores are known, and the compiled scoring process.
import { copyFile, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { hashFile, listFiles } from "../../src/artifacts/hash.js";
import type { Group } from "../../src/dataset/groups.js";
import { VARIANT_FILES, type VariantName } from "../../src/model-folder/layout.js";
import { compileSource } from "./compiled-source.js";

const FIXTURES = resolve(import.meta.dirname, "../fixtures");
export const MAX_LENGTH = 64;

/** A graph of test/fixtures/scorer-models; make_scorer_models.py says what each does. */
export type Graph = "sum" | "segments" | "reversed" | "batch" | "padding" | "nan";

interface RecordedPair {
  query: string;
  passage: string;
  max_length: number;
  ids: number[];
  type_ids: number[];
}

/** Compiles the source once for a test file; `file()` is the child process to hand to the scorer. */
export function compiledScorerProcess(): { file(): string } {
  let compiled: Awaited<ReturnType<typeof compileSource>>;
  beforeAll(async () => {
    compiled = await compileSource();
  });
  afterAll(() => compiled.remove());
  return { file: () => join(compiled.folder, "inference", "scorer-process.js") };
}

/** The score that sum.onnx gives to these token ids. */
export function expectedSum(ids: readonly number[]): number {
  return ids.reduce((sum, id) => sum + ((id * 37) % 101) / 128 - 0.375, 0);
}

async function recordedPairs(): Promise<{ tokenizer: unknown; cases: RecordedPair[] }> {
  const { kinds } = JSON.parse(await readFile(join(FIXTURES, "tokenizers.json"), "utf8")) as {
    kinds: { kind: string; tokenizer: unknown; cases: RecordedPair[] }[];
  };
  const found = kinds.find(({ kind }) => kind === "bert");
  if (found === undefined) throw new Error("tokenizers.json has no bert tokenizer");
  return { tokenizer: found.tokenizer, cases: found.cases.filter(({ max_length }) => max_length === MAX_LENGTH) };
}

/** Writes a model folder with a tokenizer and these graphs. */
export async function writeModelFolder(folder: string, graphs: Partial<Record<VariantName, Graph>>): Promise<void> {
  await mkdir(join(folder, "onnx"), { recursive: true });
  for (const [variant, graph] of Object.entries(graphs))
    await copyFile(
      join(FIXTURES, "scorer-models", `${graph}.onnx`),
      join(folder, VARIANT_FILES[variant as VariantName]),
    );
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify((await recordedPairs()).tokenizer));
  await writeFile(join(folder, "config.json"), JSON.stringify({ pad_token_id: 0 }));
}

/** A whole package with golden pairs of Rust's ids and sum.onnx's scores. `change` may spoil the golden pairs. */
export async function writePackage(
  folder: string,
  graphs: Partial<Record<VariantName, Graph>>,
  change: (pairs: { input_ids: number[]; logit: number }[]) => void = () => undefined,
): Promise<void> {
  await writeModelFolder(folder, graphs);
  const { cases } = await recordedPairs();
  const pairs = cases.map(({ query, passage, ids, type_ids }, index) => ({
    name: `pair ${index}`,
    query,
    passage,
    input_ids: [...ids],
    token_type_ids: type_ids,
    logit: expectedSum(ids),
  }));
  change(pairs);
  await writeFile(join(folder, "golden_pairs.json"), JSON.stringify({ schema: 1, max_length: MAX_LENGTH, pairs }));
  await writeManifest(folder, Object.keys(graphs) as VariantName[]);
}

async function writeManifest(folder: string, variants: readonly VariantName[]): Promise<void> {
  const size = async (path: string) => (await stat(join(folder, path))).size;
  const files = await Promise.all(
    (await listFiles(folder)).map(async (path) => ({
      path,
      bytes: await size(path),
      sha256: await hashFile(join(folder, path)),
    })),
  );
  const described = await Promise.all(
    variants.map(async (name) => ({ name, files: [VARIANT_FILES[name]], bytes: await size(VARIANT_FILES[name]) })),
  );
  const empty = { recipe: {}, data: {}, training: {}, export: {}, quantization: {}, versions: {} };
  const manifest = {
    schema: 1,
    rerank_tune: "0.0.0",
    base_model: "fixture",
    model_type: "bert",
    max_length: MAX_LENGTH,
    host: "test",
    ...empty,
    variants: described,
    files,
  };
  await mkdir(dirname(join(folder, "rerank-tune.json")), { recursive: true });
  await writeFile(join(folder, "rerank-tune.json"), JSON.stringify(manifest));
}

/** Groups whose labels follow `score`, so that a graph with that score ranks them perfectly. */
export function groupsRankedBy(score: (query: string, passage: string) => number, queries: number): Group[] {
  const words = [
    "court",
    "patient",
    "router",
    "deadline",
    "water",
    "smoke",
    "permit",
    "town",
    "button",
    "light",
    "fever",
    "heart",
  ];
  return Array.from({ length: queries }, (_, number) => {
    const query = `${words[number % 12]} ${words[(number * 5 + 1) % 12]}`;
    const passages = Array.from({ length: 8 }, (_, place) =>
      `${words[(number + place * 7) % 12]} ${words[(number * 3 + place) % 12]} `
        .repeat(1 + ((number + place) % 4))
        .trim(),
    );
    const best = passages.reduce((first, passage) => (score(query, passage) > score(query, first) ? passage : first));
    const ids = passages.map((_, place) => `p${number}-${place}`);
    return {
      query_id: `q${number}`,
      query,
      passages: passages.map((text, place) => ({
        id: ids[place] as string,
        text,
        label: text === best ? 1 : 0,
        source: "bm25" as const,
        rank: place + 1,
      })),
    };
  });
}
