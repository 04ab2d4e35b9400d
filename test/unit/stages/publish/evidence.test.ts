import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { newKeyPair, readSigningKey } from "../../../../src/evidence/keys.js";
import { evidenceOf, openRegistry } from "../../../../src/registry/index.js";
import { publish } from "../../../../src/stages/publish/index.js";
import type { PublishOptions, PublishOutput } from "../../../../src/stages/publish/schema.js";
import { verdict, verified } from "../../../helpers/fake-verified.js";
import { publishable } from "../../../helpers/publishable.js";

afterEach(() => vi.unstubAllEnvs());

const NAME = "Client Ltd";
const HEX = "ab".repeat(32);

/** Everything of a user's that could come along by mistake, in every place that evidence is made of. */
async function setUp(more: Partial<PublishOptions> = {}) {
  const manifest = (stage: string, sources: object) =>
    JSON.stringify({
      schema: 1,
      stage,
      version: 1,
      key: `${stage}-key`,
      options: { source: `/home/someone/${NAME}.jsonl` },
      inputs: {},
      sources,
      tools: { python_lock: HEX, host: "cpu" },
      files: [],
      digest: HEX,
      output: { note: NAME },
      started: "2026-01-02T03:04:05.000Z",
      seconds: 60,
      host: "cpu, 2 cores",
      rerank_tune: "0.1.0",
    });
  const files = {
    "prepare/manifest.json": manifest("prepare", { "prepare.source": HEX, [`${NAME}.csv`]: HEX }),
    "train/manifest.json": manifest("train", { base_model: HEX }),
    "train/records/base-files.json": JSON.stringify([
      { path: "config.json", sha256: HEX },
      { path: `${NAME}.txt`, sha256: HEX },
    ]),
  };
  const recipe = {
    base_model: { path: `${NAME} base` },
    prepare: { source: `/home/someone/${NAME}.jsonl`, candidates: 50 },
    train: { epochs: 2 },
    verify: { gates: { ndcg_max_drop: 0.005 } },
  };
  const report = verified();
  const guard = { gate: "guard_max_drop", outcome: "passed" as const, measured: 0, limit: 0.01, detail: NAME };
  report.verdict = verdict("improved", { guards: [{ name: NAME, queries: 40, against: "base", gate: guard }] });
  return await publishable({ report, files, recipe, options: { base_identity: `local:${NAME} base`, ...more } });
}

async function evidenceIn({ registry_dir }: PublishOptions, reference = "tiny", pem?: string) {
  const version = await (await openRegistry(registry_dir)).frozen(reference);
  return await evidenceOf(version, pem === undefined ? [] : [{ ...readSigningKey(pem, "key"), name: "ci" }]);
}

describe("what publish puts beside a version", () => {
  test("without a key: provenance, gates and two bills, unsigned, for the int8 folder too", async () => {
    const { options, run } = await setUp();
    expect((await run()).signed_by).toBeNull();
    const kinds = (await evidenceIn(options)).map(({ kind, state }) => `${kind} ${state}`);
    expect(kinds).toEqual([
      "report unsigned",
      "provenance unsigned",
      "gates unsigned",
      "sbom unsigned",
      "sbom unsigned",
    ]);
    expect((await evidenceIn(options, "tiny-int8")).map(({ kind }) => kind)).toEqual([
      "report",
      "provenance",
      "gates",
      "sbom",
      "sbom",
    ]);
  });

  test("holds no path, no file name and no word of the user's, but for the report that stays in the registry", async () => {
    const { root, options, run } = await setUp();
    await run();
    for (const reference of ["tiny", "tiny-int8"])
      for (const { kind, content } of await evidenceIn(options, reference)) {
        if (kind === "report") continue;
        expect(content).not.toContain(NAME);
        expect(content).not.toContain("Client");
        expect(content).not.toContain("someone");
        expect(content).not.toContain(root);
        expect(content).not.toMatch(/\/(home|root|Users|tmp|work|var)\//);
      }
  });

  test("says what the model was made of and how long it took", async () => {
    const { options, run } = await setUp();
    await run();
    const found = await evidenceIn(options);
    const read = (wanted: string) =>
      JSON.parse(found.find(({ kind }) => kind === wanted)?.content ?? "") as { predicate: object };
    expect(read("provenance").predicate).toMatchObject({
      buildDefinition: {
        externalParameters: { recipe: { prepare: { candidates: 50 }, train: { epochs: 2 } } },
        resolvedDependencies: expect.arrayContaining([
          { name: "base_model", digest: { "rerank-tune.folder.sha256": HEX } },
          { name: "base_model/config.json", digest: { sha256: HEX } },
          { name: "prepare.source", digest: { sha256: HEX } },
          { name: "split/train", digest: { sha256: "aa" } },
        ]),
      },
      runDetails: { metadata: { startedOn: "2026-01-02T03:04:05.000Z", finishedOn: "2026-01-02T03:05:05.000Z" } },
    });
    expect(read("gates").predicate).toMatchObject({
      result: "PASSED",
      configuration: [{ name: "verify.gates", annotations: { ndcg_max_drop: 0.005 } }, { name: "verify-report" }],
      passedTests: expect.arrayContaining([
        "fp32/cpu/ndcg_max_drop",
        "guard-1/guard_max_drop",
        "tuned/better_than_base",
      ]),
    });
  });

  test("the gates of a variant that was held back are no part of it", async () => {
    const { options, run } = await setUp();
    await run();
    const gates = (await evidenceIn(options, "tiny-int8")).find(({ kind }) => kind === "gates")?.content ?? "";
    expect(gates).toContain("int8/cpu/ndcg_max_drop");
    expect(gates).not.toContain("fp32/cpu");
  });
});

describe("publish.sign_with", () => {
  test("signs everything by a key in a variable, and the same run again adds nothing", async () => {
    const { private_pem, id } = newKeyPair();
    vi.stubEnv("CI_KEY", private_pem);
    const { options, run } = await setUp({ sign_with: "env:CI_KEY" });
    const output = await run();
    expect(output.signed_by).toBe(id);
    const found = (await evidenceIn(options, "tiny", private_pem)).map(({ kind, state }) => `${kind} ${state}`);
    expect(found.slice(5)).toEqual([
      "signature verified",
      "provenance verified",
      "gates verified",
      "sbom verified",
      "sbom verified",
    ]);
    const index = await readFile(join(options.registry_dir, "index.json"), "utf8");
    await run();
    expect(await readFile(join(options.registry_dir, "index.json"), "utf8")).toBe(index);
    expect(
      (await evidenceIn(options, "tiny-int8", private_pem)).filter(({ state }) => state === "verified"),
    ).toHaveLength(5);
  });

  test("a result is stale when another key stands there, and stays when none is at hand", async () => {
    const { root, options, run } = await setUp({ sign_with: join("/nowhere", "key.pem") });
    await mkdir(join(root, "keys"));
    const file = join(root, "keys", "key.pem");
    await expect(run()).rejects.toMatchObject({ code: "KEY_UNUSABLE" });
    await expect(openRegistry(options.registry_dir)).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    options.sign_with = file;
    await writeFile(file, newKeyPair().private_pem);
    const output: PublishOutput = await run();
    expect(await publish.stale?.(options, output)).toBeUndefined();
    await writeFile(file, newKeyPair().private_pem);
    expect(await publish.stale?.(options, output)).toContain("has not signed");
    await writeFile(file, "");
    expect(await publish.stale?.(options, output)).toBeUndefined();
  });
});
