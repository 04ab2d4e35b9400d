import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { cardProblems } from "../../../../src/destinations/hub/card-schema.js";
import type { PackageManifest } from "../../../../src/model-folder/layout.js";
import type { ResolvedRecipe } from "../../../../src/pipeline/stage.js";
import { openRegistry, REPORT_TYPE } from "../../../../src/registry/index.js";
import { publish } from "../../../../src/stages/publish/index.js";
import { otherTexts, smallerVocabulary, trimOf } from "../../../../src/stages/publish/trim-words.js";
import { openPackage } from "../../../../src/stages/verify/package-check.js";
import type { Verdict, VerifyOutput } from "../../../../src/stages/verify/schema.js";
import { QUALITY, verdict, verified } from "../../../helpers/fake-verified.js";
import { publishable } from "../../../helpers/publishable.js";
import { TRIM_REPORT } from "../../../helpers/trim-report.js";

const setUp = (report?: VerifyOutput, against_verdict = false) =>
  publishable({ ...(report === undefined ? {} : { report }), options: { against_verdict } });

describe("publishing", () => {
  test("makes a version whose pulled folder is a whole package", async () => {
    const { root, options, run } = await setUp();
    const output = await run();
    const target = join(root, "pulled");
    await (await openRegistry(options.registry_dir)).pull("tiny", target);
    expect((await openPackage(target)).manifest.files.map(({ path }) => path)).toContain("README.md");
    // Its evidence may lie in it; nothing else may.
    for (const path of ["model.sig", "provenance.json"]) await writeFile(join(target, path), "{}");
    expect((await openPackage(target)).manifest.files).not.toEqual([]);
    await writeFile(join(target, "evidence.json"), "{}");
    await expect(openPackage(target)).rejects.toMatchObject({ code: "PACKAGE_INVALID" });
    expect(output).toMatchObject({
      version: `tiny@${output.digest}`,
      alias: "latest",
      variants: ["fp32", "int8", "fp16"],
      withheld: [],
    });
  });

  test("keeps back a variant that verify did not pass, with its file and its TEI folder", async () => {
    const { root, options, run } = await setUp(verified({ int8: "failed" }));
    const output = await run();
    expect(output.withheld).toEqual([
      { name: "int8", reason: "ndcg_max_drop: 0.02 against a limit of 0.005, misses it by 0.015" },
    ]);
    const registry = await openRegistry(options.registry_dir);
    expect((await registry.list()).map(({ name }) => name)).toEqual(["tiny"]);
    const target = join(root, "pulled");
    await registry.pull("tiny", target);
    const { manifest } = await openPackage(target);
    expect(manifest.variants.map(({ name }) => name)).toEqual(["fp32", "fp16"]);
    expect(manifest.files.map(({ path }) => path)).not.toContain("onnx/model_quantized.onnx");
  });

  test("lets an inconclusive variant through", async () => {
    const { run } = await setUp(verified({ int8: "inconclusive" }));
    expect((await run()).variants).toContain("int8");
  });

  test("refuses everything when fp32 fails, and says by how much", async () => {
    const { run } = await setUp(verified({ fp32: "failed" }));
    await expect(run()).rejects.toMatchObject({
      code: "GATE_FAILED",
      message: expect.stringContaining("misses it by 0.015"),
    });
  });

  test("publishes the folder for TEI under a name of its own, with the int8 graph stored once", async () => {
    const { options, run } = await setUp();
    const output = await run();
    const registry = await openRegistry(options.registry_dir);
    const tei = await registry.show("tiny-int8");
    const graph = (await registry.show("tiny")).files.find(({ path }) => path === "onnx/model_quantized.onnx");
    expect(tei.version).toBe(output.tei_version);
    expect(tei.files.find(({ path }) => path === "onnx/model.onnx")?.sha256).toBe(graph?.sha256);
  });

  test("attaches verify's report, whose timings do not change the version", async () => {
    const { options, run, stages } = await setUp();
    const first = await run();
    const report = {
      ...verified(),
      latency: [
        { variant: "fp32", candidates: 10, tokens_per_pair: 5, samples: 9, p50_ms: 1, p95_ms: 2, p99_ms: null },
      ],
    };
    if (stages.verify !== undefined)
      stages.verify.output = {
        ...report,
        variants: report.variants.map((entry) => ({ ...entry, pairs_per_second: 1, cold_start_ms: 9 })),
      };
    expect((await run()).digest).toBe(first.digest);
    const { reports } = await (await openRegistry(options.registry_dir)).show("tiny");
    expect(reports.filter(({ artifact_type }) => artifact_type === REPORT_TYPE)).toHaveLength(2);
  });

  test("refuses a package whose files were changed", async () => {
    const { run, root } = await setUp();
    const graph = join(root, "package/model/onnx/model_fp16.onnx");
    await rm(graph);
    await writeFile(graph, "fake");
    await expect(run()).rejects.toMatchObject({ code: "PACKAGE_INVALID" });
  });
});

describe("a model that is not worth having", () => {
  test.each(["no_significant_gain", "worse"] as const)(
    "(%s) is refused, and the registry stays as it was",
    async (outcome) => {
      const { run, options } = await setUp({ ...verified(), verdict: verdict(outcome) });
      await expect(run()).rejects.toMatchObject({
        code: "GATE_FAILED",
        exitCode: 3,
        message: `Nothing was published: summary of ${outcome}.`,
        hint: expect.stringContaining("--set publish.against_verdict=true"),
      });
      await expect(openRegistry(options.registry_dir)).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    },
  );

  test("is published where the recipe says so, with a warning and with the verdict in its card", async () => {
    const { run, options, events } = await setUp({ ...verified(), verdict: verdict("no_significant_gain") }, true);
    expect((await run()).variants).toContain("fp32");
    expect(events).toContainEqual({
      type: "warning",
      message: "published against the verdict, as `publish.against_verdict` says: summary of no_significant_gain",
    });
    expect((await (await openRegistry(options.registry_dir)).show("tiny")).card).toContain(
      "Published against the verdict: the tuned model is not significantly better than the base",
    );
  });

  test("is a student that is not shown to keep to the allowed loss, and the card says what one keeps", async () => {
    const gate = { gate: "student_max_drop", outcome: "passed" as const, measured: -0.004, limit: -0.01, detail: "" };
    const student = { kept_layers: [0, 2], teacher_layers: 4, share: 0.987, share_interval: [0.97, 1.01], gate };
    const judged = (outcome: Verdict["outcome"]) => ({
      ...verified(),
      verdict: verdict(outcome, { student: { ...student, share_interval: [0.97, 1.01] } }),
    });
    for (const outcome of ["inconclusive", "beyond_limit"] as const)
      await expect((await setUp(judged(outcome))).run()).rejects.toMatchObject({ code: "GATE_FAILED", exitCode: 3 });
    const { run, options } = await setUp(judged("within_limit"));
    await run();
    const { card } = await (await openRegistry(options.registry_dir)).show("tiny");
    expect(card).toContain("a smaller student of");
    expect(card).toContain("It keeps 98.70 % of the teacher's NDCG@10 (95 % interval 97.00 to 101.00 %).");
    expect(card).toContain("It computes 2 of the teacher's 4 layers (0, 2, counted from 0)");
  });

  test("is refused for a guard set it gets worse on, whatever the recipe says of the verdict", async () => {
    const gate = { gate: "guard_max_drop", outcome: "failed" as const, measured: -0.03, limit: -0.01, detail: "" };
    const guards: Verdict["guards"] = [
      { name: "general", queries: 50, against: "base", gate: { ...gate, missed_by: 0.02 } },
    ];
    const { run } = await setUp({ ...verified(), verdict: verdict("improved", { guards }) }, true);
    await expect(run()).rejects.toMatchObject({
      code: "GATE_FAILED",
      message: "Nothing was published: the tuned model loses too much on guard set general.",
      problems: [{ path: "guard general" }],
    });
  });

  test("is let through by an inconclusive guard set", async () => {
    const gate = { gate: "guard_max_drop", outcome: "inconclusive" as const, measured: 0, limit: -0.01, detail: "" };
    const guards: Verdict["guards"] = [{ name: "general", queries: 50, against: "base", gate }];
    const { run } = await setUp({ ...verified(), verdict: verdict("improved", { guards }) });
    expect((await run()).variants).toContain("fp32");
  });
});

describe("under a protected alias", () => {
  const shield = { alias: "latest", reason: "clients", rule: "passed" as const };

  test("a version whose gates passed is published, with its folder for TEI", async () => {
    const { options, run } = await setUp();
    const registry = await openRegistry(options.registry_dir, { create: true });
    for (const name of ["tiny", "tiny-int8"]) await registry.setProtection({ ...shield, name });
    await run();
    expect((await registry.list()).map(({ aliases }) => Object.keys(aliases))).toEqual([["latest"], ["latest"]]);
    const [line] = (await registry.log("tiny-int8")).lines.slice(-1);
    expect(line?.gate_report).toBe((await registry.show("tiny-int8")).reports[0]?.digest);
  });

  test.each(["tiny", "tiny-int8"])("nothing moves when %s may not take the version", async (name) => {
    const { options, run, stages } = await setUp(verified({ int8: "inconclusive" }));
    const registry = await openRegistry(options.registry_dir, { create: true });
    await registry.setProtection({ ...shield, name });
    await expect(run()).rejects.toMatchObject({
      code: "GATE_FAILED",
      problems: [{ path: "int8 on cpu ndcg_max_drop" }],
    });
    expect(await registry.list()).toEqual([]);
    stages.verify.output = verified();
    expect((await run()).alias).toBe("latest");
  });

  test("a variant that is withheld does not count against the rest", async () => {
    const { options, run } = await setUp(verified({ int8: "failed" }));
    const registry = await openRegistry(options.registry_dir, { create: true });
    await registry.setProtection({ ...shield, name: "tiny" });
    expect((await run()).variants).toEqual(["fp32", "fp16"]);
  });
});

describe("a published result", () => {
  test("holds while the registry has the version under its alias", async () => {
    const { options, run } = await setUp();
    expect(await publish.stale?.(options, await run())).toBeUndefined();
  });

  test("is stale when the registry is gone", async () => {
    const { options, run } = await setUp();
    const output = await run();
    await rm(options.registry_dir, { recursive: true });
    expect(await publish.stale?.(options, output)).toBe("the registry does not hold the version");
  });

  test("is stale when the alias was moved", async () => {
    const { options, run } = await setUp();
    const output = await run();
    const registry = await openRegistry(options.registry_dir);
    await registry.publishVersion({
      name: "tiny",
      alias: "latest",
      files: [{ path: "config.json", source: { content: "{}" } }],
      config: { descriptor: {}, config: {} },
    });
    expect(await publish.stale?.(options, output)).toBe("tiny:latest points to another version");
  });
});

describe("what the card says of a trimmed vocabulary", () => {
  const manifestWith = (training: Record<string, unknown>) => ({ training }) as unknown as PackageManifest;

  test("is nothing where the base kept its own", () => {
    expect(trimOf(manifestWith({ steps: 5 }))).toBeUndefined();
    expect(trimOf(manifestWith({ trim: TRIM_REPORT }))).toEqual(TRIM_REPORT);
  });

  test("is how far it was cut and for which texts, and how others fare", () => {
    expect(smallerVocabulary(TRIM_REPORT)).toBe(
      "The base's vocabulary was cut from 250,002 to 94,207 pieces before training, to those that its texts or the letters of de, fr need. 1,200 texts are proven to be cut into the same pieces as by the base.",
    );
    expect(otherTexts(TRIM_REPORT)).toMatch(
      /Of 300 texts .* 12 were cut otherwise; their 9,000 tokens became 9,100\. .*: Han\.$/,
    );
    expect(otherTexts({ ...TRIM_REPORT, letters: [], unseen: null })).toMatch(/shorter pieces\.$/);
  });
});

describe("the card", () => {
  async function card(report?: VerifyOutput): Promise<string> {
    const { options, run } = await setUp(report);
    await run();
    return (await (await openRegistry(options.registry_dir)).show("tiny")).card ?? "";
  }

  test("opens with the metadata that hubs read", async () => {
    const text = await card();
    const [, front] = text.split("---\n");
    expect(parse(front ?? "")).toMatchObject({
      pipeline_tag: "text-ranking",
      library_name: "sentence-transformers",
      base_model: "owner/base",
      license: "mit",
      language: ["en"],
      metrics: ["ndcg@10", "mrr@10", "recall@5"],
      "model-index": [
        {
          name: "tiny",
          results: [
            {
              task: { type: "text-ranking", name: "Text Ranking" },
              dataset: { type: "private", name: "held-out test split", split: "test", revision: "cc" },
              metrics: [
                { type: "ndcg@10", value: 0.5, name: "NDCG@10" },
                { type: "mrr@10", value: 0.45, name: "MRR@10" },
                { type: "recall@5", value: 0.7, name: "Recall@5" },
              ],
            },
          ],
        },
      ],
    });
    expect(cardProblems(text)).toEqual([]);
  });

  test("of the folder for TEI has the figures of int8 alone, and says whose graph it is", async () => {
    const { options, run } = await setUp();
    await run();
    const { card: text = "" } = await (await openRegistry(options.registry_dir)).show("tiny-int8");
    expect(cardProblems(text)).toEqual([]);
    expect(parse(text.split("---\n")[1] ?? "")).toMatchObject({
      library_name: "text-embeddings-inference",
      license: "mit",
      base_model: "owner/base",
      base_model_relation: "quantized",
      "model-index": [{ name: "tiny-int8", results: [{ metrics: [{ value: 0.5 }, {}, {}] }] }],
    });
    expect(text).toContain("The int8 graph of the reranker `tiny`");
    expect(text).toContain("text-embeddings-router --model-id ./tiny-int8\n");
    expect(text).toContain("| int8 | ");
    expect(text).not.toMatch(/\| fp(32|16)/);
  });

  test("has the licence of the recipe, else that of the base's own card, else other", () => {
    const recipe = (license?: string, base_license?: object) =>
      ({ name: "a", publish: {}, package: { license, languages: [] }, base_license }) as unknown as ResolvedRecipe;
    const own = { license: "other", license_name: "gemma", license_link: "https://example.org/terms" };
    expect(publish.options(recipe("mit", own))).toMatchObject({ license: "mit" });
    expect(publish.options(recipe("mit", own))).not.toHaveProperty("license_name");
    expect(publish.options(recipe(undefined, own))).toMatchObject(own);
    expect(publish.options(recipe())).toMatchObject({ license: "other" });
  });

  test("has the measured quality with intervals", async () => {
    expect(await card()).toContain("| int8 ONNX | 50.00 | 40.00 to 60.00 | 45.00 | 70.00 |");
  });

  test("has the verdict with its test, interval, counts and slices", async () => {
    const text = await card();
    expect(text).toContain(
      "significantly better than the base on the same candidates: NDCG@10 +6.50 points, 95 % interval +2.10 to +10.90, p 0.0041 (paired sign-flip test, sampled). Of 200 test queries 71 got better, 92 stayed and 37 got worse; Cohen's dz 0.18. A true difference of 5.90 points would be found four times in five.",
    );
    expect(text).toContain("| language: en | 40 | -5.00 | -8.00 to -2.00 | 0.002 | worse |");
  });

  test("counts clusters beside queries where some queries are not independent, and else says nothing of them", async () => {
    const plain = verdict("improved");
    const [language] = plain.slices;
    if (language === undefined) throw new Error("no slice");
    const slices = [{ ...language, clusters: 31 }];
    const row = { ...QUALITY, clusters: 1 };
    const text = await card({
      ...verified(),
      first_stage: row,
      verdict: { ...plain, comparison: { ...plain.comparison, clusters: 120 }, slices },
    });
    expect(text).toContain("Of 200 test queries in 120 clusters 71 got better");
    expect(text).toContain("each such cluster was resampled as one.");
    expect(text).toContain("| language: en | 40 in 31 clusters | -5.00 |");
    expect(text).toContain("slices of fewer than 30 queries or clusters have no p-value");
    expect(text).toContain(
      "On 2 test queries in 1 cluster that took no part in training, times 100; bootstrap over clusters.",
    );
    expect(await card()).not.toContain("cluster");
  });

  test("names no source of the data", async () => {
    const text = await card();
    expect(text).toContain("Queries of one source got significantly worse");
    expect(text).not.toContain("Client Ltd");
  });

  test("has each guard set by number, not by its file", async () => {
    const gate = { gate: "guard_max_drop", outcome: "passed" as const, measured: -0.001, limit: -0.01, detail: "" };
    const guards: Verdict["guards"] = [{ name: "client-ltd", queries: 50, against: "base", gate }];
    const text = await card({ ...verified(), verdict: verdict("improved", { guards }) });
    expect(text).toContain("Guard set 1 (50 queries, against the base): NDCG@10 -0.10 points, allowed -1.00: passed.");
    expect(text).not.toContain("client-ltd");
  });

  test("says nothing of a verdict that there is not", async () => {
    expect(await card({ ...verified(), verdict: null })).not.toContain("## Verdict");
  });

  test("has no time in it", async () => {
    expect(await card()).not.toMatch(/p95|12\.3|99\.5/);
  });

  test("says which variant was held back and names no file of it", async () => {
    const text = await card(verified({ int8: "failed" }));
    expect(text).toContain("int8 was held back: it fails ndcg_max_drop");
    expect(text).not.toMatch(/model_quantized|tiny-int8/);
  });

  test("has the data's digests and counts", async () => {
    expect(await card()).toContain("| test | 2 | 8 | `cc` |");
  });
});

test("the report in verify's records travels when there is one", async () => {
  const { options, run, root } = await setUp();
  const { mkdir } = await import("node:fs/promises");
  await mkdir(join(root, "verify/records"), { recursive: true });
  await writeFile(join(root, "verify/records/report.json"), '{"full":true}');
  await run();
  expect((await (await openRegistry(options.registry_dir)).show("tiny")).reports[0]?.content).toEqual({ full: true });
  expect(await readFile(join(root, "package/model/rerank-tune.json"), "utf8")).not.toContain("full");
});
