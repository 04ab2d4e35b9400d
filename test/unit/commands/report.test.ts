import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type ReportResult, report } from "../../../src/commands/report.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import { PipelineFolder, RECIPE } from "../report/pipeline-folder.js";

const folder = folderPerTest();

/** A recipe with one finished training. @returns what the command takes. */
async function trained(): Promise<{ recipe: string; flags: { artifacts: string; set: string[] } }> {
  const recipe = join(folder(), "my.yaml");
  await writeFile(
    recipe,
    `schema: 1\nname: ${RECIPE}\nbase_model: { builtin: all-minilm-l6-v2 }\nprepare: { source: pairs.jsonl }\n`,
  );
  const made = new PipelineFolder(join(folder(), "artifacts"));
  await made.train({ prepare: await made.prepare() });
  return { recipe, flags: { artifacts: made.root, set: [] } };
}

describe("the command report", () => {
  test("writes the page beside the run and says where, with the figures for machines", async () => {
    const { recipe, flags } = await trained();
    const result = await report(recipe, flags);
    const path = join(flags.artifacts, RECIPE, "report.html");
    expect(result.essential).toBe(path);
    expect(result.data).toMatchObject({ path, recipe: RECIPE, training: { best_step: 10 }, verdict: null });
    expect((result.data as ReportResult).missing.map(({ part }) => part)).toEqual(["verdict", "quality", "latency"]);
    expect(result.text((_, text) => text)).toMatch(
      /without verdict: This training has not been verified yet.*report {2}\S*report\.html$/s,
    );
    expect(await readFile(path, "utf8")).toContain(`<h1>${RECIPE}</h1>`);
  });

  test("writes where it is told to, folders included, and again over a report", async () => {
    const { recipe, flags } = await trained();
    const out = join(folder(), "some", "where", "training.html");
    await report(recipe, { ...flags, out });
    const first = await readFile(out);
    await report(recipe, { ...flags, out });
    expect(await readFile(out)).toEqual(first);
  });

  test("leaves every other file and folder alone", async () => {
    const { recipe, flags } = await trained();
    const before = await readFile(recipe, "utf8");
    await expect(report(recipe, { ...flags, out: recipe })).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--out"),
    });
    expect(await readFile(recipe, "utf8")).toBe(before);
    await mkdir(join(folder(), "taken"));
    await expect(report(recipe, { ...flags, out: join(folder(), "taken") })).rejects.toMatchObject({ code: "USAGE" });
  });

  test("says what to run when nothing was trained yet", async () => {
    const { recipe, flags } = await trained();
    await expect(report(recipe, { ...flags, artifacts: join(folder(), "elsewhere") })).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
      hint: expect.stringContaining(`rerank-tune train ${recipe}`),
    });
  });
});
