import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type Group, writeGroups } from "../../../../src/dataset/groups.js";
import type { StageEvent } from "../../../../src/events.js";
import { portableOptions } from "../../../../src/pipeline/key.js";
import type { ResolvedRecipe } from "../../../../src/pipeline/stage.js";
import { recipeSchema } from "../../../../src/recipe/schema.js";
import { train } from "../../../../src/stages/train/index.js";
import { trainJob } from "../../../../src/stages/train/job.js";
import { trimmedBase } from "../../../../src/stages/train/trimmed-base.js";
import { ExactTokenizer, type TokenizerJson } from "../../../../src/tokenization/exact-tokenizer.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { tokenizerOf, writeTrimmableModel } from "../../../helpers/trimmable-model.js";

const folder = folderPerTest();
const place = (...names: string[]) => join(folder(), ...names);

/** As loaded: paths are absolute. */
function optionsWith(trim: object | undefined) {
  const written = { schema: 1, name: "a", base_model: { path: "x" }, prepare: { source: "y" } };
  const recipe = recipeSchema.parse({ ...written, ...(trim === undefined ? {} : { trim }) });
  return train.options({ ...recipe, base_dir: place("base"), base_identity: "local:base" } as ResolvedRecipe);
}

const group = (query: string, text: string): Group => ({
  query_id: query,
  query,
  passages: [{ id: "p", text, label: 1, source: "judged" }],
});

const SPLITS = {
  train: group("the court", "The court dismissed the appeal."),
  dev: group("a patient", "A patient with fever should rest."),
  test: group("Kündigung", "Die Kündigung bedarf der Schriftform."),
};
const GUARD = group("le salarié", "Le salarié bénéficie d'un congé payé.");

beforeEach(async () => {
  await writeTrimmableModel(place("base"), tokenizerOf("xlm-roberta"));
  await mkdir(place("data", "guards"), { recursive: true });
  for (const [split, made] of Object.entries(SPLITS)) await writeGroups(place("data", `groups.${split}.jsonl`), [made]);
  await writeGroups(place("data", "guards", "law.jsonl"), [GUARD]);
});

async function trimmed(trim: object, guards = ["law"]) {
  const events: StageEvent[] = [];
  const context = {
    outDir: place("out"),
    signal: new AbortController().signal,
    emit: (event: StageEvent) => events.push(event),
  };
  return { events, base: await trimmedBase(context, optionsWith(trim), place("data"), guards) };
}

const tokenizerAt = async (...names: string[]) =>
  ExactTokenizer.from(JSON.parse(await readFile(place(...names), "utf8")) as TokenizerJson) as ExactTokenizer;

describe("the key of training", () => {
  test("holds nothing of a section that is not there", () => {
    expect(optionsWith(undefined)).not.toHaveProperty("trim");
    expect(train.sources(optionsWith(undefined), {} as ResolvedRecipe)).toHaveLength(1);
  });

  test("holds the section and the content of its files, and not their place", () => {
    const options = optionsWith({ corpus: ["/a/logs.txt", "/a/more.jsonl.gz"] });
    const sources = train.sources(options, {} as ResolvedRecipe);
    expect(sources.slice(1)).toEqual([
      { name: "trim.corpus", path: "/a/logs.txt" },
      { name: "trim.corpus.2", path: "/a/more.jsonl.gz" },
    ]);
    expect(portableOptions(options, sources)).toMatchObject({
      trim: { corpus: ["source:trim.corpus", "source:trim.corpus.2"], keep: "characters" },
    });
  });

  test("changes with the lists of letters where languages are given", () => {
    expect(optionsWith({ languages: ["de"] }).trim?.exemplars).toMatch(/^\d+\./);
    expect(optionsWith({}).trim).toEqual({ keep: "characters" });
  });
});

describe("the base of training", () => {
  test("is the recipe's own without the section", async () => {
    const context = { outDir: place("out"), signal: new AbortController().signal, emit: () => undefined };
    expect(await trimmedBase(context, optionsWith(undefined), place("data"), [])).toBeUndefined();
  });

  test("knows all splits, the guard sets and the files of the corpus as before", async () => {
    await writeFile(place("logs.txt"), "El comprador deberá notificar el defecto\n");
    const { base } = await trimmed({ corpus: place("logs.txt"), keep: "used" });
    const [before, after] = [
      await tokenizerAt("base", "tokenizer.json"),
      await tokenizerAt("out/trimmed-base/tokenizer.json"),
    ];
    const pieces = JSON.parse(await readFile(place("out/trimmed-base/tokenizer.json"), "utf8")).model.vocab as [
      string,
    ][];
    const old = tokenizerOf("xlm-roberta").model.vocab as [string][];
    const texts = [SPLITS.train, SPLITS.dev, SPLITS.test, GUARD].map(({ passages }) => passages[0]?.text ?? "");
    for (const text of [...texts, "El comprador deberá notificar el defecto"])
      expect(after.encode(text).map((id) => pieces[id]?.[0])).toEqual(before.encode(text).map((id) => old[id]?.[0]));
    expect(base?.report.texts).toBe(9);
    expect(base?.report.pieces.after).toBeLessThan(base?.report.pieces.before ?? 0);
    expect(trainJob(optionsWith({}), "/p", [], base?.dir)).toMatchObject({
      inputs: { base: place("out", "trimmed-base") },
    });
  });

  test("says how the texts of dev and test would fare if they were new", async () => {
    const { base, events } = await trimmed({});
    // Two queries and two passages; train holds none of them.
    expect(base?.report.unseen).toMatchObject({ texts: 4, cut_otherwise: 4 });
    const { before, after } = base?.report.unseen?.tokens ?? { before: 0, after: 0 };
    expect(after).toBeGreaterThan(before);
    expect(events.filter(({ type }) => type === "note")).toHaveLength(2);
  });

  test("is taken as it is where an interrupted run had made it, and made again where that had not ended", async () => {
    const first = await trimmed({});
    await rm(place("base", "model.safetensors"));
    expect((await trimmed({})).base).toEqual(first.base);
    await rm(place("out", "trimmed-base", "trim.json"));
    await expect(trimmed({})).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    expect(existsSync(place("out", "trimmed-base"))).toBe(false);
  });
});
