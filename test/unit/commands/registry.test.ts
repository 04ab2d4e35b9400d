import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listRegistry, pullFromRegistry, showRegistry, verifyRegistry } from "../../../src/commands/registry.js";
import { collectRegistry, removeFromRegistry } from "../../../src/commands/registry-collect.js";
import { diffInRegistry, lineageInRegistry } from "../../../src/commands/registry-compare.js";
import {
  aliasInRegistry,
  logOfRegistry,
  protectInRegistry,
  rollbackInRegistry,
  unprotectInRegistry,
} from "../../../src/commands/registry-history.js";
import { buildProgram } from "../../../src/program.js";
import type { Registry } from "../../../src/registry/index.js";
import type { Renderable } from "../../../src/ui/output.js";
import { emptyRegistry, report, reporting, request } from "../../helpers/registry.js";

const plain = (_: string, text: string) => text;
const context = {
  signal: new AbortController().signal,
  emit: () => undefined,
  home: "",
  python: () => Promise.reject(new Error("no Python here")),
};
const collecting = { keep: 0, olderThan: 0, grace: 24, quarantine: 7 };

/** What a terminal of 80 columns shows; versions are the one thing that may be longer. */
function shown(result: Renderable): string {
  const text = result.text(plain, 80);
  const long = text.split("\n").filter((line) => line.length > 80 && !/[\w.-]+@sha256:[0-9a-f]{64}/.test(line));
  expect(long).toEqual([]);
  return text.replace(/sha256:[0-9a-f]{12}(?![0-9a-f])/g, "DIGEST");
}

async function setUp(): Promise<{
  registry: Registry;
  flags: { artifacts: string; registry: string };
  digests: string[];
}> {
  const registry = await emptyRegistry();
  const digests: string[] = [];
  for (const content of ["one", "three"])
    digests.push((await registry.publishVersion(request(content, reporting(report({ fp32: "passed" }))))).digest);
  return { registry, flags: { artifacts: "unused", registry: registry.root }, digests };
}

describe("the registry on a terminal", () => {
  test("lists versions with what is saved by storing equal files once, and marks protected aliases", async () => {
    const { registry, flags } = await setUp();
    await registry.setProtection({ name: "reranker", alias: "latest", reason: "r", rule: "passed" });
    const result = await listRegistry(flags);
    const lines = shown(result).replace(/ +/g, " ").split("\n");
    expect(lines).toEqual([
      "model version size alias",
      "reranker DIGEST 9 B",
      "reranker DIGEST 11 B latest*",
      "",
      "20 B of files, stored in 14 B (30 % saved)",
      "* protected",
    ]);
    expect(result.data).toMatchObject({
      storage: { file_bytes: 20, stored_bytes: 14 },
      protected: { "reranker:latest": "passed" },
    });
  });

  test("shows what of a version no other has", async () => {
    const { flags } = await setUp();
    expect(shown(await showRegistry("reranker", flags))).toContain("size   11 B, 5 B of it in no other version");
  });

  test("moves an alias, protects it, rolls it back and logs all of it", async () => {
    const { registry, flags } = await setUp();
    const because = (reason: string) => ({ ...flags, reason });
    expect(shown(await aliasInRegistry("reranker:latest", "prod", because("review 12")))).toMatch(
      /^reranker:prod {2}new -> DIGEST\non verify report DIGEST\nreranker@sha256:[0-9a-f]{64}$/,
    );
    expect(shown(await aliasInRegistry("reranker:latest", "prod", because("again")))).toContain("stands there already");
    expect(shown(await protectInRegistry("reranker", "prod", because("clients")))).toContain(
      "reranker:prod is protected",
    );
    const { data } = await rollbackInRegistry("reranker", because("too slow"));
    expect(data).toMatchObject({ alias: "latest", moved: true });
    expect(shown(await unprotectInRegistry("reranker", "prod", because("over")))).toContain("reranker:prod is free");
    const log = shown(await logOfRegistry(undefined, flags));
    expect(log).toContain("  rollback DIGEST -> DIGEST  by ");
    expect(log).toMatch(/6 lines, the chain holds$/);
    expect((await logOfRegistry("reranker:prod", flags)).data).toMatchObject({
      lines: [{ reason: "review 12" }, { event: "protect" }, { event: "unprotect", reason: "over" }],
      problems: [],
    });
    expect(await registry.verify()).toMatchObject({ problems: [] });
  });

  test("shows the log also where its chain is broken, and fails", async () => {
    const { registry, flags } = await setUp();
    const file = join(registry.root, "reflog.ndjson");
    const text = await readFile(file, "utf8");
    await writeFile(file, text.slice(0, text.length - 9));
    const result = await logOfRegistry("reranker", flags);
    expect(result.failure).toMatchObject({ code: "REGISTRY_CORRUPT", exitCode: 3 });
    expect(shown(result)).toContain("the chain is broken");
  });

  test.each(["", "  "])("refuses the reason %j", async (reason) => {
    const { flags } = await setUp();
    await expect(aliasInRegistry("reranker", "prod", { ...flags, reason })).rejects.toMatchObject({ code: "USAGE" });
    await expect(removeFromRegistry("reranker", { ...flags, reason })).rejects.toMatchObject({ code: "USAGE" });
  });

  test("rolls back aliases, not versions", async () => {
    const { flags, digests } = await setUp();
    const rolling = rollbackInRegistry(`reranker@${digests[0]}`, { ...flags, reason: "r" });
    await expect(rolling).rejects.toMatchObject({ code: "USAGE", hint: expect.stringContaining("--to") });
  });

  test("compares two versions", async () => {
    const { flags, digests } = await setUp();
    const text = shown(await diffInRegistry(`reranker@${digests[0]}`, "reranker", flags));
    expect(text).toContain("  ~ onnx/model.onnx  3 B  5 B\n  1 file the same");
    expect(text).toContain("onnx/model.onnx: it");
    expect(text).toContain("  fp32     50.00  50.00  +0.00");
    expect(shown(await diffInRegistry("reranker", "reranker", flags))).toContain("the same version");
  });

  test("draws where a version comes from", async () => {
    const { flags } = await setUp();
    const tree = shown(await lineageInRegistry("reranker", { ...flags, as: "tree" }));
    expect(tree).toMatch(/^version reranker {2}[0-9a-f]{12}\n/);
    expect(tree).toContain("described by -> report report");
    expect(shown(await lineageInRegistry("reranker", { ...flags, as: "mermaid" }))).toMatch(/^flowchart TD\n/);
  });

  test("says what collection would do, in bytes, and changes nothing without --yes", async () => {
    const { registry, flags, digests } = await setUp();
    const text = shown(await collectRegistry({ ...flags, ...collecting }));
    expect(text).toContain("1 version would leave\n  reranker  DIGEST  held until ");
    expect(text).toMatch(/too young +4 blobs .* under 24 h/);
    expect(text).toMatch(/nothing was changed; add --yes to do it$/);
    expect((await registry.list())[0]?.versions).toHaveLength(2);
    const done = await collectRegistry({ ...flags, ...collecting, grace: 0, yes: true });
    expect(done.data).toMatchObject({ carried_out: true, set_aside: { blobs: 4 } });
    expect(shown(await verifyRegistry(undefined, flags, context))).toContain("set aside by collection, not hashed");
    const back = shown(await collectRegistry({ ...flags, ...collecting, restore: true }));
    expect(back).toContain(`took back 4 blobs`);
    expect(back).toContain(`reranker@${digests[0]}`);
  });

  test("verify prints the head of the log to be kept elsewhere, and holds the log against one", async () => {
    const { registry, flags } = await setUp();
    const { log_head } = await registry.verify();
    const text = shown(await verifyRegistry(undefined, { ...flags, head: `sha256:${log_head}` }, context));
    expect(text).toContain(`log: 2 lines, head\n${log_head}`);
    const gone = verifyRegistry(undefined, { ...flags, head: "0".repeat(64) }, context);
    await expect(gone).rejects.toMatchObject({ code: "REGISTRY_CORRUPT", exitCode: 3 });
    for (const usage of [{ head: "5ff5d4f1" }, { head: "0".repeat(64), signature: true }])
      await expect(verifyRegistry(undefined, { ...flags, ...usage }, context)).rejects.toMatchObject({ code: "USAGE" });
  });

  test.each([{ yes: true }, { restore: true }])("does not take --dry-run with %j", async (flag) => {
    const { flags } = await setUp();
    await expect(collectRegistry({ ...flags, ...collecting, dryRun: true, ...flag })).rejects.toMatchObject({
      code: "USAGE",
    });
  });

  test("removes a version and says how to get it back", async () => {
    const { flags, digests } = await setUp();
    const removed = await removeFromRegistry(`reranker@${digests[0]}`, { ...flags, reason: "client left" });
    expect(shown(removed)).toContain("--restore takes it back");
  });

  test("says that what was pulled reads back", async () => {
    const { registry, flags } = await setUp();
    const target = join(registry.root, "..", "pulled");
    const pulled = await pullFromRegistry("reranker", target, { ...flags, verify: true });
    expect(pulled.text(plain)).toContain("every file reads back as it was published");
  });
});

test("every subcommand that moves something asks for a reason", () => {
  const registry = buildProgram("0", async () => undefined).commands.find((command) => command.name() === "registry");
  const asking = registry?.commands.filter((command) => command.options.some(({ long }) => long === "--reason"));
  expect(asking?.map((command) => command.name())).toEqual([
    "alias",
    "unalias",
    "rollback",
    "protect",
    "unprotect",
    "remove",
  ]);
  expect(asking?.every((command) => command.options.find(({ long }) => long === "--reason")?.mandatory)).toBe(true);
});
