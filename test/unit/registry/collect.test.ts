import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashText } from "../../../src/artifacts/hash.js";
import { BlobStore } from "../../../src/registry/blobs.js";
import { MANIFEST_TYPE } from "../../../src/registry/format.js";
import type { CollectRequest, Registry } from "../../../src/registry/index.js";
import { requireBlobs } from "../../../src/registry/quarantine.js";
import { emptyRegistry, overwrite, report, reporting, request } from "../../helpers/registry.js";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** Two days from now, so that nothing is young; everything that is not kept goes. */
function plan(more: Partial<CollectRequest> = {}): CollectRequest {
  return {
    keep: 0,
    olderThanDays: 0,
    graceMs: 24 * HOUR_MS,
    quarantineMs: 7 * DAY_MS,
    carryOut: true,
    now: new Date(Date.now() + 2 * DAY_MS),
    ...more,
  };
}

async function published(...contents: string[]): Promise<{ registry: Registry; digests: string[] }> {
  const registry = await emptyRegistry();
  const digests: string[] = [];
  for (const content of contents) digests.push((await registry.publishVersion(request(content))).digest);
  return { registry, digests };
}

const blobs = async (registry: Registry): Promise<string[]> =>
  (await readdir(join(registry.root, "blobs", "sha256"))).sort();

describe("collection", () => {
  test("first says what it would do, in bytes, and changes nothing", async () => {
    const { registry, digests } = await published("one", "two!!");
    const before = [await blobs(registry), await readdir(registry.root)];
    const collection = await registry.collect(plan({ carryOut: false }));
    expect(collection).toMatchObject({
      carried_out: false,
      versions: [{ name: "reranker", digest: digests[0] }],
      deleted: { batches: 0, blobs: 0, bytes: 0 },
      batch: null,
    });
    // The graph, the config and the manifest of the first version; the card is the second's as well.
    expect(collection.set_aside).toMatchObject({ blobs: 3, linked_bytes: 0 });
    expect(collection.kept.blobs).toBe(4);
    expect([await blobs(registry), await readdir(registry.root)]).toEqual(before);
  });

  test("sets aside exactly what nothing names, and the rest stays whole", async () => {
    const { registry, digests } = await published("one", "two");
    const kept = (await registry.collect(plan({ carryOut: false }))).kept.blobs;
    const { batch, versions } = await registry.collect(plan());
    expect(versions.map(({ digest }) => digest)).toEqual([digests[0]]);
    expect((await blobs(registry)).length).toBe(kept);
    const aside = await readdir(join(registry.root, "quarantine", batch ?? ""));
    expect(aside).toContain(hashText("one"));
    expect(await registry.verify()).toMatchObject({ versions: 1, unused: 0, problems: [] });
    expect((await registry.log()).lines.at(-1)).toMatchObject({ event: "remove", from: digests[0], to: null });
  });

  test("takes a version's reports along, and those of others not", async () => {
    const registry = await emptyRegistry();
    await registry.publishVersion(request("one", reporting(report({ fp32: "failed" }))));
    await registry.publishVersion(request("two", reporting(report({ fp32: "passed" }))));
    await registry.collect(plan());
    expect((await registry.show("reranker")).reports).toHaveLength(1);
    expect(await registry.verify()).toMatchObject({ versions: 1, unused: 0, problems: [] });
  });

  test("keeps what an alias holds under another name, and the same version under two names", async () => {
    const { registry, digests } = await published("one");
    await registry.publishVersion(request("one", { name: "other" }));
    await registry.publishVersion(request("two", { name: "other" }));
    expect((await registry.collect(plan())).versions).toMatchObject([{ name: "other", digest: digests[0] }]);
    expect((await registry.show("reranker")).digest).toBe(digests[0]);
    expect(await registry.verify()).toMatchObject({ versions: 2, problems: [] });
  });

  test("keeps as many earlier versions of each alias as it is told, so that rolling back works", async () => {
    const { registry, digests } = await published("a", "b", "c", "d");
    expect((await registry.collect(plan({ keep: 2 }))).versions.map(({ digest }) => digest)).toEqual([digests[0]]);
    const back = { name: "reranker", alias: "latest", reason: "slow" };
    expect(await registry.rollback(back)).toMatchObject({ to: digests[2] });
    expect(await registry.rollback(back)).toMatchObject({ to: digests[1] });
    await expect(registry.rollback(back)).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });

  test("keeps what an alias left less long ago than it is told", async () => {
    const { registry, digests } = await published("a", "b");
    expect((await registry.collect(plan({ olderThanDays: 3 }))).versions).toEqual([]);
    expect((await registry.collect(plan({ olderThanDays: 1 }))).versions).toMatchObject([{ digest: digests[0] }]);
  });

  test("keeps all that a protected alias ever held", async () => {
    const { registry } = await published("a", "b", "c");
    const protection = { name: "reranker", alias: "latest", reason: "clients" };
    await registry.setProtection({ ...protection, rule: "passed" });
    expect((await registry.collect(plan())).versions).toEqual([]);
    await registry.setProtection({ ...protection, rule: undefined });
    expect((await registry.collect(plan())).versions).toHaveLength(2);
  });

  test("leaves a blob alone that was written a moment ago, whoever wrote it", async () => {
    const { registry } = await published("one");
    const young = hashText("from a publisher that has not committed");
    await writeFile(join(registry.root, "blobs", "sha256", young), "from a publisher that has not committed");
    expect(await registry.collect(plan({ now: new Date() }))).toMatchObject({
      set_aside: { blobs: 0 },
      young: { blobs: 1, bytes: 39 },
    });
    expect(await registry.collect(plan())).toMatchObject({ set_aside: { blobs: 1, bytes: 39 } });
    expect(await blobs(registry)).not.toContain(young);
  });

  test("deletes what lay in the quarantine long enough, in a later run only", async () => {
    const { registry } = await published("one", "two");
    const first = await registry.collect(plan({ quarantineMs: 0 }));
    expect([first.deleted.batches, (await registry.verify()).quarantined_bytes]).toEqual([0, first.set_aside.bytes]);
    expect((await registry.collect(plan())).deleted.batches).toBe(0);
    const later = await registry.collect(plan({ now: new Date(Date.now() + 10 * DAY_MS) }));
    expect(later.deleted).toEqual({ batches: 1, blobs: 3, bytes: first.set_aside.bytes });
    expect(await readdir(join(registry.root, "quarantine"))).toEqual([]);
  });

  test("does nothing where the log is damaged: nobody knows then what was in use", async () => {
    const { registry } = await published("one", "two");
    const log = join(registry.root, "reflog.ndjson");
    await writeFile(log, (await readFile(log, "utf8")).replace('"publish"', '"perhaps"'));
    await expect(registry.collect(plan())).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
    expect(await readdir(registry.root)).not.toContain("quarantine");
  });

  test("does nothing where a manifest is damaged", async () => {
    const { registry, digests } = await published("one", "two");
    await rm(join(registry.root, "blobs", "sha256", (digests[1] ?? "").slice(7)));
    await expect(registry.collect(plan())).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
    expect(await blobs(registry)).toContain(hashText("one"));
  });
});

describe("the quarantine", () => {
  test("gives everything back: versions, reports and bytes", async () => {
    const registry = await emptyRegistry();
    const one = await registry.publishVersion(request("one", reporting(report({ fp32: "passed" }))));
    await registry.publishVersion(request("two"));
    const before = await blobs(registry);
    await registry.collect(plan());
    const restored = await registry.restore({ now: new Date(), reason: "needed" });
    expect(restored.versions).toEqual([one.version]);
    expect(await blobs(registry)).toEqual(before);
    expect((await registry.show(one.version)).reports).toHaveLength(1);
    expect(await registry.verify()).toMatchObject({ versions: 2, unused: 0, quarantined_bytes: 0, problems: [] });
    expect((await registry.log()).lines.at(-1)).toMatchObject({ event: "restore", to: one.digest, reason: "needed" });
  });

  test("gives the report back to a version that was published again meanwhile", async () => {
    const registry = await emptyRegistry();
    const one = await registry.publishVersion(request("one", reporting(report({ fp32: "passed" }))));
    await registry.publishVersion(request("two"));
    await registry.collect(plan());
    await registry.publishVersion(request("one"));
    expect((await registry.show(one.version)).reports).toEqual([]);
    expect((await registry.restore({ now: new Date(), reason: "r" })).versions).toEqual([]);
    expect((await registry.show(one.version)).reports).toHaveLength(1);
    expect(await registry.verify()).toMatchObject({ versions: 2, problems: [] });
  });

  test("keeps an entry away whose bytes are gone", async () => {
    const { registry } = await published("one", "two");
    const { batch } = await registry.collect(plan());
    await rm(join(registry.root, "quarantine", batch ?? "", hashText("one")));
    expect((await registry.restore({ now: new Date(), reason: "r" })).versions).toEqual([]);
    expect(await registry.verify()).toMatchObject({ versions: 1, problems: [] });
  });

  test("gives back what a publisher relied on before collection took it", async () => {
    const { registry, digests } = await published("one", "two");
    const store = new BlobStore(registry.root);
    const digest = digests[0] ?? "";
    const version = { mediaType: MANIFEST_TYPE, digest, size: (await store.read(digest)).length };
    const { batch } = await registry.collect(plan());
    await requireBlobs(store, [version]);
    expect(await readdir(join(registry.root, "quarantine", batch ?? ""))).toEqual(["batch.json"]);
    expect(await registry.verify()).toMatchObject({ unused: 3, problems: [] });
    await rm(store.path(`sha256:${hashText("one")}`));
    await expect(requireBlobs(store, [version])).rejects.toMatchObject({ code: "REGISTRY_CORRUPT" });
  });

  test("left half by a crash is taken up by the next run", async () => {
    const { registry } = await published("one", "two");
    const folder = join(registry.root, "quarantine", "20260101000000-aaaaaaaa");
    await mkdir(folder, { recursive: true });
    await overwrite(join(folder, hashText("lost")), "lost");
    expect(await registry.collect(plan({ carryOut: false, quarantineMs: DAY_MS }))).toMatchObject({
      deleted: { batches: 1, blobs: 1, bytes: 4 },
    });
    await registry.restore({ now: new Date(), reason: "r" });
    expect(await blobs(registry)).toContain(hashText("lost"));
    expect(await registry.verify()).toMatchObject({ unused: 1, problems: [] });
  });
});

describe("removing a version", () => {
  test("takes it out with a reason, and collect --restore takes it back", async () => {
    const { registry, digests } = await published("one", "two");
    const version = `reranker@${digests[0]}`;
    expect(await registry.remove({ reference: version, reason: "client left" })).toEqual({ version });
    await expect(registry.show(version)).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    expect((await registry.log()).lines.at(-1)).toMatchObject({ event: "remove", reason: "client left", alias: null });
    expect(await registry.verify()).toMatchObject({ versions: 1, unused: 3, problems: [] });
    expect((await registry.restore({ now: new Date(), reason: "r" })).versions).toEqual([version]);
    expect(await registry.verify()).toMatchObject({ versions: 2, unused: 0, problems: [] });
  });

  test("is refused while an alias holds it, and while a protected one ever did", async () => {
    const { registry, digests } = await published("one", "two");
    const remove = (digest = "") => registry.remove({ reference: `reranker@${digest}`, reason: "r" });
    await expect(remove(digests[1])).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining(":latest"),
    });
    await registry.setProtection({ name: "reranker", alias: "latest", reason: "r", rule: "passed" });
    await expect(remove(digests[0])).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("unprotect"),
    });
    expect(await registry.verify()).toMatchObject({ versions: 2, problems: [] });
  });

  test("can be published again", async () => {
    const { registry, digests } = await published("one", "two");
    await registry.remove({ reference: `reranker@${digests[0]}`, reason: "r" });
    expect(await registry.publishVersion(request("one"))).toMatchObject({ added: true, digest: digests[0] });
    expect(await registry.verify()).toMatchObject({ versions: 2, problems: [] });
  });
});
