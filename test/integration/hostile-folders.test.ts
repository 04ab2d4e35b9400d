// R15, the doors of folders and of the Hub: packages given to verify, bases, and registries of others. Each is refused by name and nothing is written.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkBase } from "../../src/hub/check-base.js";
import { resolveBase } from "../../src/hub/resolve-base.js";
import { openRegistry } from "../../src/registry/index.js";
import { openPackage } from "../../src/stages/verify/package-check.js";
import { SHA, startHub } from "../helpers/fake-hub.js";
import { writePackage } from "../helpers/scorer-package.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";
import { writeModel } from "../unit/lint/model-files.js";

type Harm = (folder: string) => Promise<unknown>;

const place = async (folder: string, path: string, content: string): Promise<void> => {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), content);
};
const fifo: Harm = async (folder) => execFileSync("mkfifo", [join(folder, "config.pipe")]);

/** Claims a size without bytes. */
const hollow =
  (path: string, bytes: number): Harm =>
  async (folder) => {
    await place(folder, path, "");
    await truncate(join(folder, path), bytes);
  };

/** Puts a file in and lists it, with its true digest, as whoever makes a package can. */
async function list(folder: string, path: string, content: string | undefined): Promise<void> {
  const file = join(folder, "rerank-tune.json");
  const manifest = JSON.parse(await readFile(file, "utf8")) as { files: unknown[] };
  const text = content ?? "x";
  manifest.files.push({ path, bytes: text.length, sha256: createHash("sha256").update(text).digest("hex") });
  await writeFile(file, JSON.stringify(manifest));
  if (content !== undefined) await place(folder, path, content);
}

/** Every file and folder below, so that any write shows. */
const everything = async (folder: string): Promise<string[]> => (await readdir(folder, { recursive: true })).sort();

const PACKAGES: [title: string, harm: Harm, says: RegExp][] = [
  [
    "a link out of its folder",
    (folder) => symlink("/etc/hostname", join(folder, "vocab.txt")),
    /link out of its folder/,
  ],
  ["a link to the folder above", (folder) => symlink("..", join(folder, "up")), /no plain file/],
  ["a link in a circle", (folder) => symlink("circle", join(folder, "circle")), /in a circle/],
  ["a link to nothing", (folder) => symlink("nothing", join(folder, "vocab.txt")), /link to nothing/],
  ["a pipe", fifo, /no plain file/],
  ["a file of 3 TB without bytes", hollow("model.safetensors", 3e12), /many times the bytes/],
  ["a file of 3 GB without bytes", hollow("onnx/model.onnx_data", 3e9), /many times the bytes/],
  ["a tokenizer of 1 GB without bytes", hollow("tokenizer.json", 1e9), /no such file of a model has/],
  ["code that is listed", (folder) => list(folder, "modeling.py", "print()"), /is code/],
  ["a pickle that is listed", (folder) => list(folder, "pytorch_model.bin", "x"), /is a pickle/],
  ["a listed file outside of it", (folder) => list(folder, "../../secret.json", undefined), /leaves the folder/],
  [
    "a listed file at an absolute place",
    (folder) => list(folder, "/etc/passwd", undefined),
    /leaves the folder or has empty parts/,
  ],
  ["a listed script under another name", (folder) => list(folder, "NOTICE", "#!/bin/sh"), /program by its first bytes/],
  [
    "1,001 files more",
    async (folder) => {
      for (let count = 0; count <= 1000; count += 1) await place(folder, `extra/f${count}.txt`, "");
    },
    /more than 1000/,
  ],
];

describe("a package given to verify is refused with", () => {
  test.each(PACKAGES)("%s", async (_title, harm, says) => {
    const parent = await temporaryFolder();
    const folder = join(parent, "model");
    await mkdir(folder);
    await writePackage(folder, { fp32: "sum" });
    await harm(folder);
    const before = await everything(parent);
    await expect(openPackage(folder)).rejects.toMatchObject({
      code: "UNSAFE_INPUT",
      message: expect.stringMatching(says),
    });
    expect(await everything(parent)).toEqual(before);
  });

  test("a config that names code, though its digest is right", async () => {
    const folder = await temporaryFolder();
    await writePackage(folder, { fp32: "sum" });
    const file = join(folder, "rerank-tune.json");
    const config = '{"auto_map":{"AutoModel":"m.M"}}';
    const manifest = JSON.parse(await readFile(file, "utf8")) as { files: { path: string }[] };
    await writeFile(
      file,
      JSON.stringify({ ...manifest, files: manifest.files.filter(({ path }) => path !== "config.json") }),
    );
    await list(folder, "config.json", config);
    await expect(openPackage(folder)).rejects.toMatchObject({
      code: "UNSAFE_INPUT",
      message: expect.stringContaining("names code of its own"),
    });
  });
});

describe("a package as the Hub's own cache lays it out", () => {
  test("opens though its files are links, and not when one leads past the cache", async () => {
    const root = join(await temporaryFolder(), "models--org--name");
    const [snapshot, blobs] = [join(root, "snapshots", SHA), join(root, "blobs")];
    await mkdir(blobs, { recursive: true });
    await writePackage(blobs, { fp32: "sum" });
    for (const path of await everything(blobs)) {
      await mkdir(join(snapshot, dirname(path)), { recursive: true });
      if (path !== "onnx") await symlink(join(blobs, path), join(snapshot, path));
    }
    expect((await openPackage(snapshot)).variants.map(({ name }) => name)).toEqual(["fp32"]);
    await symlink("/etc/hostname", join(snapshot, "vocab.txt"));
    await expect(openPackage(snapshot)).rejects.toMatchObject({ code: "UNSAFE_INPUT" });
  });
});

const BASES: [title: string, harm: Harm, says: RegExp][] = [
  [
    "a link out of its folder",
    (folder) => symlink("/etc/hostname", join(folder, "merges.txt")),
    /link out of its folder/,
  ],
  ["a pipe", fifo, /no plain file/],
  ["code", (folder) => place(folder, "modeling_custom.py", "print()"), /is code, and rerank-tune never runs/],
  ["a vocabulary of 1 GB without bytes", hollow("added_tokens.json", 1e9), /no such file of a model has/],
];

describe("a base in a folder is refused with", () => {
  const allowed = { custom_code: "refuse", replace_head: false } as const;

  test.each(BASES)("%s", async (_title, harm, says) => {
    const folder = join(await temporaryFolder(), "base");
    await writeModel(folder);
    await checkBase(folder, allowed);
    await harm(folder);
    await expect(checkBase(folder, allowed)).rejects.toMatchObject({
      code: "UNSAFE_INPUT",
      message: expect.stringMatching(says),
    });
  });

  test("code, unless the recipe says that it is ignored", async () => {
    const folder = join(await temporaryFolder(), "base");
    await writeModel(folder);
    await place(folder, "modeling_custom.py", "print()");
    await expect(checkBase(folder, allowed)).rejects.toMatchObject({
      hint: expect.stringContaining("custom_code=ignore"),
    });
    await checkBase(folder, { ...allowed, custom_code: "ignore" });
  });
});

interface Listed {
  type: string;
  path: string;
  size: number;
  oid: string;
}

describe("a base of the Hub is refused, and its folder stays empty, with", () => {
  const listing = (extra: Listed[]) => [
    ...["config.json", "tokenizer.json", "model.safetensors"].map((path) => ({
      type: "file",
      path,
      size: 2,
      oid: "0".repeat(40),
    })),
    ...extra,
  ];
  const CASES: [title: string, entries: Listed[], says: RegExp][] = [
    [
      "a tokenizer of an exabyte",
      listing([]).map((entry) => (entry.path === "tokenizer.json" ? { ...entry, size: 1e18 } : entry)),
      /no such file of a model has/,
    ],
    [
      "weights of a negative size",
      listing([]).map((entry) => (entry.path === "model.safetensors" ? { ...entry, size: -5 } : entry)),
      /no such file of a model has/,
    ],
    [
      "a list without an end",
      listing(
        Array.from({ length: 10_001 }, (_, count) => ({
          type: "file",
          path: `f${count}`,
          size: 1,
          oid: "0".repeat(40),
        })),
      ),
      /more than 10000/,
    ],
  ];

  test.each(CASES)("%s", async (_title, entries, says) => {
    const hub = await startHub({ repo: "owner/base", files: {} });
    hub.fault = (incoming, reply) => {
      if (!(incoming.url ?? "").includes("/tree/")) return false;
      reply.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(entries));
      return true;
    };
    const cacheDir = await temporaryFolder();
    const options = {
      repo: "owner/base",
      revision: "main",
      cacheDir,
      offline: false,
      hubUrl: hub.url,
      emit: () => undefined,
      signal: new AbortController().signal,
      fetch,
    };
    await expect(resolveBase(options)).rejects.toMatchObject({
      code: "UNSAFE_INPUT",
      message: expect.stringMatching(says),
    });
    expect(hub.requests.filter((request) => request.includes("/resolve/"))).toEqual([]);
    expect(await everything(cacheDir)).toEqual(["hub", "hub/owner--base"]);
  });
});

describe("a registry of others", () => {
  test("whose version climbs out of the folder gives nothing", async () => {
    const root = join(await temporaryFolder(), "registry");
    const target = join(await temporaryFolder(), "out");
    const registry = await openRegistry(root, { create: true });
    const { digest } = await registry.publishVersion({
      name: "model",
      alias: "latest",
      files: [{ path: "config.json", source: { content: "{}" } }],
      config: { descriptor: {}, config: {} },
    });
    const blob = join(root, "blobs", "sha256", digest.slice(7));
    const harmed = (await readFile(blob, "utf8")).replace("config.json", "../out.json");
    const hex = createHash("sha256").update(harmed).digest("hex");
    await writeFile(join(root, "blobs", "sha256", hex), harmed);
    const index = await readFile(join(root, "index.json"), "utf8");
    await writeFile(join(root, "index.json"), index.replaceAll(digest, `sha256:${hex}`));
    await expect(registry.pull("model", target)).rejects.toMatchObject({
      code: "REGISTRY_CORRUPT",
      message: expect.stringContaining("leaves the folder"),
    });
    expect(existsSync(target)).toBe(false);
    expect(existsSync(join(dirname(target), "out.json"))).toBe(false);
  });
});
