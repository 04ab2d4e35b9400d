import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashText } from "../../../src/artifacts/hash.js";
import { BlobStore, BlobWriter } from "../../../src/registry/blobs.js";
import { commitReferrers } from "../../../src/registry/commit.js";
import { MANIFEST_TYPE } from "../../../src/registry/format.js";
import { openRegistry, type Registry } from "../../../src/registry/index.js";
import { writeReferrer } from "../../../src/registry/publish.js";
import { emptyRegistry, report, reporting, request } from "../../helpers/registry.js";

const passing = () => reporting(report({ fp32: "passed" }));
const failing = () => reporting(report({ fp32: "failed" }));
const prod = { name: "reranker", alias: "prod", reason: "why" };

async function aliases(registry: Registry): Promise<Record<string, string>> {
  return (await registry.list())[0]?.aliases ?? {};
}

describe("moving an alias", () => {
  test("says from where to where, and on which report", async () => {
    const registry = await emptyRegistry();
    const { digest } = await registry.publishVersion(request("one", passing()));
    const moved = await registry.moveAlias({ reference: "reranker:latest", alias: "staging", reason: "review 12" });
    const [attached] = (await registry.show("reranker")).reports;
    expect(moved).toMatchObject({ alias: "staging", from: null, to: digest, moved: true });
    expect(moved.gate_report).toBe(attached?.digest);
    expect((await registry.log("reranker", "staging")).lines).toMatchObject([
      { from: null, to: digest, reason: "review 12", gate_report: attached?.digest },
    ]);
  });

  test("to where it stands writes nothing", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one"));
    const index = await readFile(join(registry.root, "index.json"), "utf8");
    const moved = await registry.moveAlias({ reference: "reranker", alias: "latest", reason: "again" });
    expect(moved).toMatchObject({ moved: false, gate_report: null });
    expect(await readFile(join(registry.root, "index.json"), "utf8")).toBe(index);
  });

  test.each([
    ["other", "prod", "REGISTRY_NOT_FOUND"],
    ["reranker", "Prod!", "USAGE"],
  ])("of %s to %s is %s", async (reference, alias, code) => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one"));
    await expect(registry.moveAlias({ reference, alias, reason: "r" })).rejects.toMatchObject({ code });
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });
});

describe("taking an alias away", () => {
  test("leaves the version, and a rollback brings the alias back", async () => {
    const registry = await emptyRegistry();
    const { digest, version } = await registry.publishVersion(request("one"));
    expect(await registry.removeAlias({ name: "reranker", alias: "latest", reason: "misspelt" })).toEqual({
      name: "reranker",
      alias: "latest",
      from: digest,
    });
    expect(await registry.list()).toMatchObject([{ name: "reranker", aliases: {}, versions: [{ version }] }]);
    expect((await registry.log("reranker", "latest")).lines.at(-1)).toMatchObject({ from: digest, to: null });
    expect((await registry.verify()).problems).toEqual([]);
    await expect(registry.show("reranker")).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
      hint: expect.stringContaining("reranker has no alias and 1 version;"),
    });
    const back = await registry.rollback({ name: "reranker", alias: "latest", reason: "it was right" });
    expect(back).toMatchObject({ from: null, to: digest, moved: true });
    expect((await registry.verify()).problems).toEqual([]);
  });

  test("lets the last version of a model go", async () => {
    const registry = await emptyRegistry();
    const { version } = await registry.publishVersion(request("one"));
    const remove = () => registry.remove({ reference: version, reason: "the client asked" });
    await expect(remove()).rejects.toMatchObject({ code: "USAGE", hint: expect.stringContaining("registry unalias") });
    await registry.removeAlias({ name: "reranker", alias: "latest", reason: "the client asked" });
    await remove();
    expect(await registry.list()).toEqual([]);
    expect((await registry.verify()).problems).toEqual([]);
  });

  test("is refused where it is protected, or where there is none", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one", passing()));
    await registry.moveAlias({ reference: "reranker", alias: "prod", reason: "r" });
    await registry.setProtection({ ...prod, rule: "passed" });
    await expect(registry.removeAlias(prod)).rejects.toMatchObject({ code: "USAGE" });
    await expect(registry.removeAlias({ ...prod, alias: "staging" })).rejects.toMatchObject({
      code: "REGISTRY_NOT_FOUND",
    });
    expect(await aliases(registry)).toHaveProperty("prod");
  });
});

describe("a protected alias", () => {
  test("moves to a version that passes, and to no other", async () => {
    const registry = await emptyRegistry();
    const good = await registry.publishVersion(request("good", passing()));
    const bad = await registry.publishVersion(request("bad", failing()));
    const bare = await registry.publishVersion(request("bare"));
    await registry.setProtection({ ...prod, rule: "passed" });
    await registry.moveAlias({ reference: good.version, alias: "prod", reason: "r" });
    for (const reference of [bad.version, bare.version])
      await expect(registry.moveAlias({ reference, alias: "prod", reason: "r" })).rejects.toMatchObject({
        code: "GATE_FAILED",
        exitCode: 3,
      });
    expect((await aliases(registry)).prod).toBe(good.digest);
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("is decided by the newest report", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one", passing()));
    const { version } = await registry.publishVersion(request("one", failing()));
    await registry.setProtection({ ...prod, rule: "passed" });
    await expect(registry.moveAlias({ reference: version, alias: "prod", reason: "r" })).rejects.toMatchObject({
      problems: [{ path: "fp32 on cpu ndcg_max_drop" }],
    });
  });

  test("refuses a publisher before anything moves", async () => {
    const registry = await emptyRegistry();
    const good = await registry.publishVersion(request("good", { alias: "prod", ...passing() }));
    await registry.setProtection({ ...prod, rule: "passed" });
    const index = await readFile(join(registry.root, "index.json"), "utf8");
    await expect(registry.publishVersion(request("bad", { alias: "prod", ...failing() }))).rejects.toMatchObject({
      code: "GATE_FAILED",
    });
    expect(await readFile(join(registry.root, "index.json"), "utf8")).toBe(index);
    const next = await registry.publishVersion(request("better", { alias: "prod", ...passing() }));
    expect([good.digest, (await aliases(registry)).prod]).toEqual([good.digest, next.digest]);
  });

  test("can be held against a report before it is published", async () => {
    const registry = await emptyRegistry();
    await registry.setProtection({ ...prod, rule: "not_failed" });
    await registry.refuseReport("reranker", "prod", report({ fp32: "inconclusive" }), ["fp32"]);
    await registry.refuseReport("reranker", "latest", report({ fp32: "failed" }), ["fp32"]);
    await expect(registry.refuseReport("reranker", "prod", report({ fp32: "failed" }), ["fp32"])).rejects.toMatchObject(
      {
        code: "GATE_FAILED",
      },
    );
  });

  test("says what it holds that would not be let in, and hints at inconclusive gates", async () => {
    const registry = await emptyRegistry();
    const open = reporting(report({ fp32: "inconclusive" }));
    const { version } = await registry.publishVersion(request("one", { alias: "prod", ...open }));
    const { objections, changed } = await registry.setProtection({ ...prod, rule: "passed" });
    expect([objections.length, changed]).toEqual([1, true]);
    await registry.publishVersion(request("two", { alias: "latest" }));
    await registry.setProtection({ ...prod, alias: "gold", rule: "passed" });
    await expect(registry.moveAlias({ reference: version, alias: "gold", reason: "r" })).rejects.toMatchObject({
      hint: expect.stringContaining("--allow-inconclusive"),
    });
  });

  test("is freed with a reason, and both stand in the log", async () => {
    const registry = await emptyRegistry();
    const { version } = await registry.publishVersion(request("bad", failing()));
    await registry.setProtection({ ...prod, rule: "passed" });
    expect(await registry.setProtection({ ...prod, rule: "passed" })).toMatchObject({ changed: false });
    await registry.setProtection({ ...prod, reason: "trial over", rule: undefined });
    await registry.moveAlias({ reference: version, alias: "prod", reason: "r" });
    expect((await registry.log("reranker", "prod")).lines).toMatchObject([
      { event: "protect", from: null, to: null },
      { event: "unprotect", reason: "trial over" },
      { to: expect.stringMatching(/^sha256:/) },
    ]);
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });
});

describe("rolling back", () => {
  test("goes one version back each time, and ends where there is nothing before", async () => {
    const registry = await emptyRegistry();
    const digests: string[] = [];
    for (const content of ["one", "two", "three"])
      digests.push((await registry.publishVersion(request(content))).digest);
    const back = { name: "reranker", alias: "latest", reason: "slow" };
    expect(await registry.rollback(back)).toMatchObject({ from: digests[2], to: digests[1], moved: true });
    expect(await registry.rollback(back)).toMatchObject({ from: digests[1], to: digests[0] });
    await expect(registry.rollback(back)).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    expect((await registry.log()).lines.map(({ event }) => event)).toEqual([
      undefined,
      undefined,
      undefined,
      "rollback",
      "rollback",
    ]);
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("of a protected alias takes a version that it held, and no other that does not pass", async () => {
    const registry = await emptyRegistry();
    const held = await registry.publishVersion(request("held", { alias: "prod", ...failing() }));
    const never = await registry.publishVersion(request("never", failing()));
    await registry.publishVersion(request("good", { alias: "prod", ...passing() }));
    await registry.setProtection({ ...prod, rule: "passed" });
    await expect(registry.rollback({ ...prod, to: never.version })).rejects.toMatchObject({ code: "GATE_FAILED" });
    expect(await registry.rollback({ ...prod, to: held.version })).toMatchObject({ to: held.digest });
  });

  test("to a version of another model is refused", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one", { alias: "prod" }));
    const other = await registry.publishVersion(request("one", { name: "other" }));
    await expect(registry.rollback({ ...prod, to: other.version })).rejects.toMatchObject({ code: "USAGE" });
  });

  test("does not trust a broken log", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one"));
    await registry.publishVersion(request("two"));
    const log = join(registry.root, "reflog.ndjson");
    await writeFile(log, (await readFile(log, "utf8")).replace('"publish"', '"perhaps"'));
    const back = { name: "reranker", alias: "latest", reason: "slow" };
    await expect(registry.rollback(back)).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
    expect((await registry.log()).problems).toEqual(["line 2 does not follow from the line before it"]);
  });
});

describe("the log", () => {
  test("of version 0.1.0, without reports and states, is read and continued", async () => {
    const registry = await emptyRegistry();
    const { digest } = await registry.publishVersion(request("one"));
    const old = { time: "2026-01-02T03:04:05.000Z", actor: "a@b", name: "reranker", alias: "latest" };
    const line = JSON.stringify({ ...old, from: null, to: digest, reason: "publish", previous: null });
    await writeFile(join(registry.root, "reflog.ndjson"), `${line}\n`);
    const path = join(registry.root, "index.json");
    const index = JSON.parse(await readFile(path, "utf8")) as { annotations: Record<string, string> };
    index.annotations["rerank-tune.reflog.head"] = hashText(line);
    await writeFile(path, JSON.stringify(index, null, 2));
    expect(await registry.verify()).toMatchObject({ problems: [] });
    await registry.moveAlias({ reference: "reranker", alias: "prod", reason: "go" });
    expect((await registry.log()).lines).toMatchObject([{ time: old.time }, { alias: "prod" }]);
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("goes on after a head whose line end was lost", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one"));
    const log = join(registry.root, "reflog.ndjson");
    await writeFile(log, (await readFile(log, "utf8")).trimEnd());
    await expect(registry.verify()).rejects.toMatchObject({ problems: [{ message: "line 1 has lost its end" }] });
    await registry.publishVersion(request("two"));
    expect(await registry.verify()).toMatchObject({ versions: 2, problems: [] });
  });

  test("of a model that is not there names the way to the others", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one"));
    await expect(registry.log("other")).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    await expect(registry.log("reranker", "prod")).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });
});

test("no command makes a registry of a folder that is none", async () => {
  const registry = await emptyRegistry();
  await rm(registry.root, { recursive: true });
  const attempts = [
    registry.moveAlias({ reference: "m", alias: "prod", reason: "r" }),
    registry.setProtection({ ...prod, rule: "passed" }),
    registry.restore({ now: new Date(), reason: "r" }),
  ];
  for (const attempt of attempts) await expect(attempt).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  await expect(openRegistry(registry.root)).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
});

test("evidence that is attached later is a line of the log", async () => {
  const registry = await emptyRegistry();
  const { digest } = await registry.publishVersion(request("one"));
  const store = new BlobStore(registry.root);
  const writer = new BlobWriter(store);
  await writer.open();
  const subject = { mediaType: MANIFEST_TYPE, digest, size: (await store.read(digest)).length };
  const statement = await writeReferrer({ artifactType: "application/vnd.test+json", content: "{}" }, subject, writer);
  await writer.flush();
  await writer.close();
  expect(await commitReferrers(registry.root, digest, [statement])).toBe(1);
  expect(await commitReferrers(registry.root, digest, [statement])).toBe(0);
  expect((await registry.log()).lines.at(-1)).toMatchObject({
    event: "attach",
    alias: null,
    to: digest,
    reason: "application/vnd.test+json",
  });
  expect(await registry.verify()).toMatchObject({ unused: 0, problems: [] });
  const gone = `sha256:${"0".repeat(64)}`;
  await expect(commitReferrers(registry.root, gone, [statement])).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
});
