import {
  appendFile,
  chmod,
  cp,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hashText } from "../../../src/artifacts/hash.js";
import { openRegistry, type Registry, type RegistryReport } from "../../../src/registry/index.js";
import { readIndex } from "../../../src/registry/index-file.js";
import { checkRegistry } from "../../../src/registry/verify.js";
import { overwrite, report, reporting, request } from "../../helpers/registry.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

let original: string;
let registry: Registry;
let blob: string;

/** Two versions, one with a report, an alias that was moved and one that is protected. Made once: flushing takes most of the time. */
beforeAll(async () => {
  original = await mkdtemp(join(tmpdir(), "rerank-tune-test-"));
  const made = await openRegistry(original, { create: true });
  await made.publishVersion(request("one"));
  await made.publishVersion(request("two", reporting(report({ fp32: "passed" }))));
  await made.setProtection({ name: "reranker", alias: "prod", reason: "clients", rule: "passed" });
  await made.moveAlias({ reference: "reranker", alias: "prod", reason: "review 12" });
});
afterAll(() => rm(original, { recursive: true }));

test("what others commit while it is verified is no leftover", async () => {
  const before = await readIndex(registry.root);
  if (before === undefined) throw new Error("no index");
  await registry.moveAlias({ reference: "reranker", alias: "staging", reason: "meanwhile" });
  expect(await checkRegistry(registry.root, before)).toMatchObject({ uncommitted_log_bytes: 0, problems: [] });
  await appendFile(at("reflog.ndjson"), '{"time":"2026-');
  expect((await registry.verify()).uncommitted_log_bytes).toBe(14);
});

describe("a head of the log that was noted elsewhere", () => {
  test("is found as long as history goes on from it", async () => {
    const { log_head, log_lines } = await registry.verify();
    const before = (await readFile(join(registry.root, "reflog.ndjson"), "utf8")).trimEnd().split("\n");
    expect([log_head, log_lines]).toEqual([hashText(before.at(-1) ?? ""), before.length]);
    await registry.moveAlias({ reference: "reranker", alias: "staging", reason: "later" });
    for (const line of before)
      expect(await registry.verify({ notedHead: hashText(line) })).toMatchObject({ problems: [] });
    expect((await registry.verify({ notedHead: log_head ?? "" })).log_lines).toBe(before.length + 1);
  });

  test("is missed in an older copy, and in a history that was written anew", async () => {
    await registry.moveAlias({ reference: "reranker", alias: "staging", reason: "later" });
    const { log_head } = await registry.verify();
    const notedHead = log_head ?? "";
    const older = await openRegistry(original);
    const anew = await openRegistry(join(await temporaryFolder(), "registry"), { create: true });
    await anew.publishVersion(request("one"));
    for (const sound of [older, anew]) {
      expect(await sound.verify()).toMatchObject({ problems: [] });
      await expect(sound.verify({ notedHead })).rejects.toMatchObject({
        code: "REGISTRY_CORRUPT",
        hint: expect.stringContaining("restore the newest backup that holds it"),
        problems: [{ message: expect.stringContaining(`it has no line ${notedHead}`) }],
      });
    }
  });
});

beforeEach(async () => {
  const root = join(await temporaryFolder(), "registry");
  await cp(original, root, { recursive: true });
  registry = await openRegistry(root);
  blob = join(root, "blobs", "sha256", hashText("two"));
});

const at = (...path: string[]): string => join(registry.root, ...path);

/** Messages of all problems; empty where the registry is sound. */
async function problems(): Promise<string[]> {
  return await registry.verify().then(
    () => [],
    // An index that cannot be read at all ends it before there is a report.
    (error: Error & { data?: RegistryReport }) => error.data?.problems.map(({ message }) => message) ?? [error.message],
  );
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const before = await readFile(at(file), "utf8");
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(at(file), after);
}

test("a sound registry has no problem, also with what interrupted writers leave", async () => {
  expect(await problems()).toEqual([]);
  await mkdir(at("tmp", "left-by-somebody"));
  await writeFile(at("index.json.0a1b.tmp"), "{");
  await writeFile(at(".lock"), "{}");
  await writeFile(at("blobs", "sha256", hashText("unused")), "unused");
  await chmod(at("blobs", "sha256", hashText("unused")), 0o444);
  expect(await problems()).toEqual([]);
});

test.each(["index.json", "oci-layout", "reflog.ndjson"])("a flip of one bit anywhere in %s is found", async (name) => {
  const bytes = await readFile(at(name));
  const missed: number[] = [];
  // Every byte of the small file; of the others a share whose step is prime, so that all parts of a line are met.
  const step = bytes.length < 200 ? 1 : 47;
  for (let offset = 0; offset < bytes.length; offset += step) {
    const flipped = Buffer.from(bytes);
    flipped[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 7));
    await writeFile(at(name), flipped);
    if ((await problems()).length === 0) missed.push(offset);
  }
  await writeFile(at(name), bytes);
  expect([missed, await problems()]).toEqual([[], []]);
});

describe("edits of index.json that keep it readable", () => {
  test("an alias that points elsewhere", async () => {
    const digests = (await registry.list())[0]?.versions.map(({ digest }) => digest) ?? [];
    const index = JSON.parse(await readFile(at("index.json"), "utf8")) as {
      manifests: { digest: string; size: number; annotations?: Record<string, string> }[];
    };
    const named = (reference: string) =>
      index.manifests.find(({ annotations }) => annotations?.["org.opencontainers.image.ref.name"] === reference);
    const [prod, one] = [named("reranker:prod"), named(`reranker@${digests[0]}`)];
    Object.assign(prod ?? {}, { digest: one?.digest, size: one?.size });
    await writeFile(at("index.json"), JSON.stringify(index, null, 2));
    expect(await problems()).toContain(`${digests[0]} here, ${digests[1]} in the log`);
  });

  test.each([
    [
      "protection taken away",
      /,?\n {4}"rerank-tune.protected": .*(?=\n)/,
      "",
      "protection that the log knows is not here",
    ],
    [
      "an annotation of somebody's",
      /"annotations": \{(?=\n {4}"rerank-tune)/,
      '"annotations": {\n    "x": "",',
      "an annotation that is not ours",
    ],
    ["other white space", /\n/, "\n ", "its text is not the one that was written"],
    [
      "a report taken away",
      /,\n {4}\{\n[^{}]*verify-report[^{}]*\}/,
      "",
      expect.stringMatching(/^the report sha256:.* is not here$/),
    ],
    ["the log cut off", /,?\n {4}"rerank-tune.reflog.head": .*(?=\n)/, "", "it names no last line of the log"],
  ])("%s", async (_, from, to, message) => {
    await edit("index.json", (text) =>
      text
        .replace(from, to)
        .replace("{,", "{")
        .replace(/\{\n {4}"rerank-tune.reflog/, '{\n    "rerank-tune.reflog'),
    );
    expect(await problems()).toContainEqual(message);
  });
});

describe("the log", () => {
  test("what an interrupted writer left behind its end is told apart from damage", async () => {
    const lines = (await readFile(at("reflog.ndjson"), "utf8")).trimEnd().split("\n");
    const intent = { ...(JSON.parse(lines.at(-1) ?? "") as object), previous: hashText(lines.at(-1) ?? "") };
    const tail = `${JSON.stringify(intent)}\n{"time":"2026`;
    await appendFile(at("reflog.ndjson"), tail);
    expect(await registry.verify()).toMatchObject({ uncommitted_log_bytes: tail.length, problems: [] });
    await appendFile(at("reflog.ndjson"), "\0\0");
    expect(await problems()).toEqual([]);
  });

  test.each(["x", "{}\n", '{"time":"2026"}\n', "\n"])("%j behind its end was left by nobody of ours", async (tail) => {
    await appendFile(at("reflog.ndjson"), tail);
    expect(await problems()).toEqual([
      "what stands behind the last committed line was not left by an interrupted writer",
    ]);
  });

  test.each([1, 2, 500])("cut by %i bytes is found", async (bytes) => {
    const { length } = await readFile(at("reflog.ndjson"));
    await truncate(at("reflog.ndjson"), length - bytes);
    expect(await problems()).toHaveLength(1);
  });
});

describe("in the folder of blobs", () => {
  test.each<[string, () => Promise<void>, string]>([
    ["a changed byte", () => overwrite(blob, "twp"), "its bytes do not match its name"],
    ["a byte more", () => overwrite(blob, "two!"), "its bytes do not match its name"],
    ["a byte less", () => overwrite(blob, "tw"), "its bytes do not match its name"],
    ["nothing left", () => overwrite(blob, ""), "its bytes do not match its name"],
    ["one that can be written", () => chmod(blob, 0o644), "it can be written (mode 644); `chmod a-w` it"],
    ["one that others can write", () => chmod(blob, 0o446), "it can be written (mode 446); `chmod a-w` it"],
    ["one that nobody can read", () => chmod(blob, 0o000), "its owner cannot read it (mode 000)"],
    [
      "a stranger's file",
      () => writeFile(at("blobs", "sha256", "notes.txt"), "x"),
      "it is no blob: its name is no sha256",
    ],
    ["a stranger's folder", () => mkdir(at("blobs", "sha512")), "it is no part of a registry"],
    ["a stranger's file beside the index", () => writeFile(at("notes.txt"), "x"), "it is no part of a registry"],
  ])("%s is found", async (_, tamper, message) => {
    await tamper();
    expect(await problems()).toContainEqual(expect.stringContaining(message));
  });

  test("a link in the place of a blob is found, even to the right bytes", async () => {
    const copy = at("..", "copy");
    await writeFile(copy, "two");
    await rm(blob);
    await symlink(copy, blob);
    expect(await problems()).toContain("it is a symbolic link");
  });

  test("a hard link to another blob in its place is found", async () => {
    const other = at("blobs", "sha256", hashText("one"));
    await rm(blob);
    await link(other, blob);
    expect(await problems()).toContain("its bytes do not match its name");
  });

  test("two blobs that were exchanged are found", async () => {
    const other = at("blobs", "sha256", hashText("one"));
    const [mine, theirs] = [await readFile(blob), await readFile(other)];
    await overwrite(blob, theirs);
    await overwrite(other, mine);
    expect((await problems()).filter((message) => message === "its bytes do not match its name")).toHaveLength(2);
  });

  test("a folder in the place of a file is found, and links in the place of folders", async () => {
    await rm(at("oci-layout"));
    await mkdir(at("oci-layout"));
    expect(await problems()).toEqual(expect.arrayContaining(["it is missing or was changed", "it is a folder"]));
    await symlink(at("blobs"), at("quarantine"));
    expect(await problems()).toContain("it is a symbolic link");
  });

  test("every missing blob is found by what needs it", async () => {
    const folder = at("blobs", "sha256");
    const missed: string[] = [];
    for (const name of await readdir(folder)) {
      const bytes = await readFile(join(folder, name));
      await rm(join(folder, name));
      if (!(await problems()).some((message) => message.endsWith("is missing or damaged"))) missed.push(name);
      await overwrite(join(folder, name), bytes);
    }
    expect([missed, await problems()]).toEqual([[], []]);
  });
});

test("pull with reading again gives what was published", async () => {
  const target = at("..", "pulled");
  expect(await registry.pull("reranker", target, { reread: true })).toMatchObject({ files: 2, reread: true });
  expect(await readFile(join(target, "onnx", "model.onnx"), "utf8")).toBe("two");
});
