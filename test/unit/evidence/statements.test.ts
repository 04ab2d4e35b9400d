import { describe, expect, test } from "vitest";
import { hashText } from "../../../src/artifacts/hash.js";
import { preAuthentication, readBundle, signedBundle, signerOf } from "../../../src/evidence/bundle.js";
import { newKeyPair, readSigningKey } from "../../../src/evidence/keys.js";
import { differences, modelStatement, readModelStatement, rootDigest } from "../../../src/evidence/model-signing.js";
import { provenanceStatement, withoutPlaces } from "../../../src/evidence/provenance.js";
import { readStatement, statement, statementText } from "../../../src/evidence/statement.js";
import { testResultStatement } from "../../../src/evidence/test-result.js";

const KEY = readSigningKey(newKeyPair().private_pem, "key");
const A = "aa".repeat(32);
const B = "bb".repeat(32);
const C = "cc".repeat(32);

describe("an envelope", () => {
  test("signs type and payload with their lengths, as the DSSE specification's own example", () => {
    expect(preAuthentication(Buffer.from("hello world"), "http://example.com/HelloWorld").toString()).toBe(
      "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
    );
  });

  test("counts bytes, not letters", () => {
    expect(preAuthentication(Buffer.from("é"), "é").toString()).toBe("DSSEv1 2 é 2 é");
  });

  test("gives its payload and its signer back", () => {
    const bundle = readBundle(signedBundle("{}", KEY));
    expect(bundle.payload.toString()).toBe("{}");
    expect(signerOf(bundle, [readSigningKey(newKeyPair().private_pem, "other"), KEY])).toBe(KEY);
    expect(signerOf(bundle, [])).toBeUndefined();
  });
});

describe("a model statement", () => {
  const files = [
    { path: "a-b.txt", sha256: B },
    { path: "a/b.txt", sha256: A },
  ];

  test("orders files by the parts of their paths and hashes their digests in that order", () => {
    const made = modelStatement("model", files);
    expect((made.predicate as { resources: { name: string }[] }).resources.map(({ name }) => name)).toEqual([
      "a/b.txt",
      "a-b.txt",
    ]);
    // sha256 over 32 bytes of aa and 32 of bb.
    const expected = hashText(Buffer.from(A + B, "hex"));
    expect(made.subject).toEqual([{ name: "model", digest: { sha256: expected } }]);
    expect(rootDigest([...files].reverse())).toBe(expected);
  });

  test("orders by code points, where UTF-16 would say otherwise", () => {
    const beyond = [
      { path: "\u{1F600}", sha256: B },
      { path: "\uFF5E", sha256: A },
    ];
    const made = modelStatement("model", beyond).predicate as { resources: { digest: string }[] };
    expect(made.resources.map(({ digest }) => digest)).toEqual([A, B]);
  });

  test("comes back as it went in, and tells what a folder has otherwise", () => {
    const signed = readModelStatement(readStatement(statementText(modelStatement("model", files))));
    expect(signed).toMatchObject({ name: "model" });
    expect(differences(signed, files)).toEqual([]);
    expect(
      differences(signed, [
        { path: "a-b.txt", sha256: C },
        { path: "x", sha256: C },
      ]),
    ).toEqual(["a/b.txt is missing", "a-b.txt was changed", "x was not signed"]);
  });

  test.each(["", "{}", "[]", '{"_type":"x"}'])("%j is no statement", (text) => {
    expect(() => readStatement(text)).toThrow(expect.objectContaining({ code: "SIGNATURE_INVALID" }));
  });
});

describe("provenance", () => {
  const stage = (name: string, started: string, seconds: number, sources = {}) => ({
    stage: name,
    key: `${name}-key`,
    digest: `${name}-digest`,
    sources,
    tools: { python_lock: "lock" },
    started,
    seconds,
  });
  const input = {
    subjects: [{ name: "tiny", sha256: A }],
    base_model: `hub:owner/base@${"0".repeat(40)}`,
    recipe: { train: { epochs: 2 } },
    data: { digests: { train: B } },
    host: "cpu, 2 cores",
    versions: { "train.python_lock": "lock" },
    rerank_tune: "0.1.0",
    build: {
      stages: [
        stage("prepare", "2026-01-02T03:00:00.000Z", 60, { "prepare.source": C }),
        stage("train", "2026-01-02T03:02:00.000Z", 3600, { base_model: A }),
      ],
      base_files: [
        { path: "config.json", sha256: B },
        { path: "Client Ltd.bin", sha256: C },
      ],
    },
    report: C,
  };

  test("says from which data and base, with which settings, when, and what came besides", () => {
    const { predicate } = provenanceStatement(input);
    expect(predicate).toMatchObject({
      buildDefinition: {
        externalParameters: { recipe: { train: { epochs: 2 } } },
        internalParameters: {
          host: "cpu, 2 cores",
          stages: [{ stage: "prepare" }, { stage: "train", key: "train-key" }],
        },
        resolvedDependencies: [
          {
            name: "base_model",
            uri: `https://huggingface.co/owner/base/tree/${"0".repeat(40)}`,
            digest: { gitCommit: "0".repeat(40), "rerank-tune.folder.sha256": A },
          },
          { name: "base_model/config.json", digest: { sha256: B } },
          { name: "base_model/Client Ltd.bin", digest: { sha256: C } },
          { name: "prepare.source", digest: { sha256: C } },
          { name: "split/train", digest: { sha256: B } },
        ],
      },
      runDetails: {
        builder: { version: { "rerank-tune": "0.1.0" } },
        metadata: {
          invocationId: "train-key",
          startedOn: "2026-01-02T03:00:00.000Z",
          finishedOn: "2026-01-02T04:02:00.000Z",
        },
        byproducts: [{ name: "verify-report", digest: { sha256: C } }],
      },
    });
  });

  test("names no file of a base that is the user's own folder", () => {
    const text = statementText(provenanceStatement({ ...input, base_model: "local:Client Ltd model" }));
    expect(text).not.toContain("Client");
    expect(text).toContain("base_model/config.json");
    expect(text).toContain("base_model/file-2");
  });

  test("names no source that is not a field of the recipe", () => {
    const build = {
      ...input.build,
      stages: [stage("verify", "2026-01-02T03:00:00Z", 1, { "Smith and Sons.csv": C, "prepare.guard.1": B })],
    };
    const text = statementText(provenanceStatement({ ...input, build }));
    expect(text).not.toContain("Smith");
    expect(text).toContain('"verify.source.1"');
    expect(text).toContain('"prepare.guard.1"');
  });

  test("of an older package leaves times out rather than making them up", () => {
    const { predicate } = provenanceStatement({ ...input, build: { stages: [], base_files: [] } });
    expect((predicate as { runDetails: object }).runDetails).not.toHaveProperty("metadata");
  });

  test("keeps of a recipe what is a setting", () => {
    expect(
      withoutPlaces({
        base_model: { repo: "owner/base", path: "/home/x", revision: "main" },
        prepare: { source: "a.jsonl", candidates: 50, files: ["/x/y", "plain"] },
        package: { description: "for Client Ltd" },
        any: { where: "C:\\data\\x", home: "~/x", rate: 1e-5 },
      }),
    ).toEqual({
      base_model: { repo: "owner/base", revision: "main" },
      prepare: { candidates: 50, files: ["plain"] },
      package: {},
      any: { rate: 1e-5 },
    });
  });
});

describe("a test result", () => {
  const gate = (of: string, outcome: "passed" | "failed" | "inconclusive") => ({
    of,
    gate: "ndcg_max_drop",
    outcome,
    measured: 0.1,
    limit: 0.2,
  });
  const result = (...gates: ReturnType<typeof gate>[]) =>
    testResultStatement([{ name: "m", sha256: A }], gates, { ndcg_max_drop: 0.2 }, B).predicate;

  test("passes when all gates do, warns where one is undecided, fails where one fails", () => {
    expect(result(gate("fp32", "passed"))).toMatchObject({
      result: "PASSED",
      passedTests: ["fp32/ndcg_max_drop"],
      failedTests: [],
    });
    expect(result(gate("fp32", "passed"), gate("int8", "inconclusive"))).toMatchObject({
      result: "WARNED",
      warnedTests: ["int8/ndcg_max_drop"],
    });
    expect(result(gate("fp32", "failed"), gate("int8", "inconclusive"))).toMatchObject({
      result: "FAILED",
      failedTests: ["fp32/ndcg_max_drop"],
    });
  });

  test("has the limits and the digest of the report, not the report", () => {
    expect(result()).toMatchObject({
      configuration: [
        { name: "verify.gates", annotations: { ndcg_max_drop: 0.2 } },
        { name: "verify-report", digest: { sha256: B } },
      ],
    });
  });
});

test("a statement has one form", () => {
  const one = statement([{ name: "m", sha256: A }], "t", { b: 1, a: 2 });
  expect(statementText(one)).toBe(
    `{"_type":"https://in-toto.io/Statement/v1","predicate":{"a":2,"b":1},"predicateType":"t","subject":[{"digest":{"sha256":"${A}"},"name":"m"}]}`,
  );
});
