// R15, the door of OCI registries: what a hostile one offers is refused by name, and the local registry does not even come into being.
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fetchVersion } from "../../src/destinations/oci/fetch.js";
import { type Offered, type OfferedFile, startHostileRegistry } from "../helpers/hostile-registry.js";
import { encodeOnnx, soundGraph } from "../helpers/onnx-writer.js";
import { releaseContext } from "../helpers/release-context.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";

const PATIENCE = { attempts: 2, pauseMs: 1, silenceMs: 5000 };
const CONFIG: OfferedFile = { path: "config.json", content: '{"model_type":"bert"}' };
const GIB = 2 ** 30;

const file = (
  path: string | undefined,
  content: string | Buffer = "x",
  more: Partial<OfferedFile> = {},
): OfferedFile => ({ path, content, ...more });
const files = (...given: OfferedFile[]): Offered => ({ files: [CONFIG, ...given] });
const at = (path: string | undefined): Offered => files(file(path));

/** A graph whose only weight lies elsewhere. */
function graphWith(location: string): Buffer {
  const graph = soundGraph();
  const weights = graph.initializers.map(({ bytes, ...tensor }) =>
    tensor.name === "weight" ? { ...tensor, location } : { ...tensor, ...(bytes === undefined ? {} : { bytes }) },
  );
  return encodeOnnx({ ...graph, initializers: weights });
}

/** Refused by the list of files alone: not one blob may be asked for. */
const BY_LIST: [title: string, offered: Offered, says: RegExp][] = [
  ["a path that climbs out", at("../escape.json"), /leaves the folder/],
  ["a path that climbs out from below", at("onnx/../../escape.json"), /leaves the folder/],
  ["an absolute path", at("/etc/cron.d/job"), /leaves the folder or has empty parts/],
  ["a path with a drive", at("C:/model.json"), /colon/],
  ["a path with backslashes", at("..\\escape.json"), /backslash/],
  ["a path with NUL", at("config.json\u0000.txt"), /control character/],
  ["a path with a line break", at("a\nb.json"), /control character/],
  ["a path with an empty part", at("onnx//model.json"), /empty parts/],
  ["a path with a dot as part", at("./model.json"), /leaves the folder or has empty parts/],
  ["an empty path", at(""), /empty path/],
  ["no path at all", at(undefined), /empty path/],
  ["a device of Windows", at("CON"), /device on Windows/],
  ["a device of Windows with an ending", at("nul.json"), /device on Windows/],
  ["a device of Windows in a folder", at("onnx/aux.onnx"), /device on Windows/],
  ["a device of Windows with a raised digit", at("com¹.json"), /device on Windows/],
  ["a stream of another file", at("config.json:hidden"), /colon/],
  ["a name that ends in a dot", at("config.json."), /ends in a dot or a space/],
  ["a folder that ends in a space", at("onnx /model.json"), /ends in a dot or a space/],
  ["a name that reads backwards", at("\u202enosj.gifnoc"), /invisible character/],
  ["a name with an unseen character", at("con\u200bfig.json"), /invisible character/],
  ["a name that is no Unicode", at("a\ud800.json"), /no valid Unicode/],
  ["a wildcard as name", at("*.json"), /not every system/],
  ["a name of 300 bytes", at(`${"a".repeat(300)}.json`), /too long/],
  ["a path of 2,000 bytes", at(`${"a/".repeat(1000)}b.json`), /too long/],
  ["two names that differ in case", at("CONFIG.json"), /where case does not count/],
  ["two names that differ in composition", files(file("é.json"), file("e\u0301.json")), /where case does not count/],
  ["two names that meet in upper case", files(file("straße.json"), file("STRASSE.json")), /where case does not count/],
  ["a file that is a folder as well", files(file("onnx"), file("onnx/model.json")), /where case does not count/],
  ["two folders that differ in case", files(file("onnx/a.json"), file("ONNX/b.json")), /where case does not count/],
  ["the same path twice", files(file("a.json", "1"), file("a.json", "2")), /where case does not count/],
  ["10,000 files", files(...Array.from({ length: 10_000 }, (_, count) => file(`f${count}.json`))), /more than 1000/],
  [
    "a size beyond all disks",
    files(file("model.safetensors", "x", { size: Number.MAX_SAFE_INTEGER })),
    /no such file of a model has/,
  ],
  [
    "sizes that are too much together",
    files(...Array.from({ length: 5 }, (_, count) => file(`w${count}.safetensors`, `${count}`, { size: 60 * GIB }))),
    /together, too many/,
  ],
  ["a config of 2 GiB", files(file("tokenizer.json", "x", { size: 2 * GIB })), /no such file of a model has/],
  ["two sizes for one digest", files(file("a.json", "same"), file("b.json", "same", { size: 5 })), /two sizes/],
  [
    "a tar",
    files(file("model.data", "x", { mediaType: "application/vnd.cncf.model.weight.v1.tar" })),
    /only raw files/,
  ],
  [
    "something packed",
    files(file("model.data", "x", { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip" })),
    /only raw files/,
  ],
  ["a pickle", at("pytorch_model.bin"), /is a pickle/],
  ["a pickle in upper case", at("WEIGHTS.PKL"), /is a pickle/],
  ["a format that holds pickles", at("head.joblib"), /can run code when it is opened/],
  ["code of its own", at("modeling_custom.py"), /is code/],
  ["a library", at("onnx/custom_op.so"), /is code/],
  ["an archive", at("model.zip"), /is an archive/],
  [
    "101 referrers",
    {
      files: [CONFIG],
      referrers: Array.from({ length: 101 }, (_, count) => ({
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        digest: `sha256:${String(count).padStart(64, "0")}`,
        size: 2,
      })),
    },
    /more than 100/,
  ],
];

/** Refused by what the bytes are. */
const BY_CONTENT: [title: string, offered: Offered, says: RegExp][] = [
  [
    "a pickle under the name of weights",
    files(file("model.safetensors", Buffer.from([0x80, 4, 0x95, 1, 0, 0, 0, 0, 0, 0]))),
    /is a pickle by its first bytes/,
  ],
  [
    "an archive under the name of a tokenizer",
    files(file("tokenizer.json", Buffer.from("PK\u0003\u0004data"))),
    /is an archive by its first bytes/,
  ],
  [
    "packed bytes under the name of a text",
    files(file("vocab.txt", Buffer.from([0x1f, 0x8b, 8, 0]))),
    /is an archive by its first bytes/,
  ],
  [
    "a program under the name of a text",
    files(file("merges.txt", Buffer.from("\u007fELF\u0002"))),
    /is a program by its first bytes/,
  ],
  ["a script under the name of a licence", files(file("LICENSE", "#!/bin/sh\n")), /is a program by its first bytes/],
  [
    "a graph with weights above the folder",
    files(file("onnx/model.onnx", graphWith("../../../etc/passwd"))),
    /outside its folder/,
  ],
  [
    "a graph with weights at an absolute place",
    files(file("onnx/model.onnx", graphWith("/etc/passwd"))),
    /outside its folder/,
  ],
  ["a graph with weights on a drive", files(file("onnx/model.onnx", graphWith("C:\\secret"))), /outside its folder/],
  [
    "a graph with weights that did not come with it",
    files(file("onnx/model.onnx", graphWith("other.data"))),
    /not among the files/,
  ],
  ["a graph that is none", files(file("onnx/model.onnx", "graph")), /no whole ONNX file/],
  [
    "weights whose header is longer than they are",
    files(file("model.safetensors", Buffer.alloc(16, 1))),
    /does not begin with the length/,
  ],
  [
    "a config that names code",
    { files: [file("config.json", '{"auto_map":{"AutoModel":"m.M"}}')] },
    /names code of its own \(AutoModel\)/,
  ],
  [
    "a tokenizer that names code",
    files(file("tokenizer_config.json", '{"auto_map":{"AutoTokenizer":["m.T",null]}}')),
    /names code of its own \(AutoTokenizer\)/,
  ],
  [
    "modules that name code",
    files(file("modules.json", '[{"type":"evil.Module"}]')),
    /names code of its own \(evil\.Module\)/,
  ],
];

/** Not what it says it is. */
const UNTRUE: [title: string, offered: Offered, code: string, says: RegExp][] = [
  [
    "other bytes than listed",
    { ...files(), blob: (_digest, bytes) => Buffer.alloc(bytes.length, 65) },
    "CHECKSUM_MISMATCH",
    /sha256/,
  ],
  [
    "more bytes than listed",
    { ...files(), blob: (_digest, bytes) => Buffer.concat([bytes, bytes]) },
    "CHECKSUM_MISMATCH",
    /more than/,
  ],
  [
    "fewer bytes than listed",
    { ...files(), blob: (_digest, bytes) => bytes.subarray(1) },
    "DOWNLOAD_FAILED",
    /stopped at/,
  ],
  [
    "a digest that is not the manifest's",
    { ...files(), toldDigest: `sha256:${"0".repeat(64)}` },
    "OCI_FAILED",
    /is to be sha256:0000/,
  ],
  ["a manifest of 5 MB", { files: [], manifest: " ".repeat(5_000_000) }, "OCI_FAILED", /more than 4194304 bytes/],
  ["a manifest that is no JSON", { files: [], manifest: "{" }, "PACKAGE_INVALID", /no OCI image manifest/],
  [
    "an index in place of a model",
    { files: [], manifestType: "application/vnd.oci.image.index.v1+json" },
    "PACKAGE_INVALID",
    /index of several/,
  ],
  [
    "a program's image",
    { ...files(), change: (manifest) => void Object.assign(manifest, { artifactType: "application/vnd.example" }) },
    "PACKAGE_INVALID",
    /no model/,
  ],
  ["a negative size", files(file("a.json", "x", { size: -1 })), "PACKAGE_INVALID", /no OCI image manifest/],
  [
    "a size that is no whole number",
    files(file("a.json", "x", { size: 1.5 })),
    "PACKAGE_INVALID",
    /no OCI image manifest/,
  ],
  [
    "a digest that is a path",
    files(file("a.json", "x", { digest: "sha256:../../../etc/passwd" })),
    "PACKAGE_INVALID",
    /no OCI image manifest/,
  ],
];

async function attempt(offered: Offered) {
  const folder = await temporaryFolder();
  const server = await startHostileRegistry(offered);
  const registry = join(folder, "registry");
  const error = await fetchVersion(`oci://${server.host}/team/model:v1`, {
    ...releaseContext(folder),
    registry,
    patience: PATIENCE,
  }).then(
    () => undefined,
    (thrown) => thrown as { code: string; message: string; hint: string },
  );
  const left = existsSync(join(folder, "cache", "oci")) ? await readdir(join(folder, "cache", "oci")) : [];
  return {
    error,
    left,
    wrote: existsSync(registry),
    blobs: server.asked.filter((url) => url.includes("/blobs/")).length,
  };
}

describe("an artefact is refused before a byte of it is asked for that has", () => {
  test.each(BY_LIST)("%s", async (_title, offered, says) => {
    const { error, ...rest } = await attempt(offered);
    expect(error).toMatchObject({
      code: "UNSAFE_INPUT",
      message: expect.stringMatching(says),
      hint: expect.stringContaining("do not use it"),
    });
    expect(rest).toEqual({ left: [], wrote: false, blobs: 0 });
  });
});

describe("an artefact is refused, and nothing of it stays, that has", () => {
  test.each(BY_CONTENT)("%s", async (_title, offered, says) => {
    const { error, left, wrote } = await attempt(offered);
    expect(error).toMatchObject({ code: "UNSAFE_INPUT", message: expect.stringMatching(says) });
    expect({ left, wrote }).toEqual({ left: [], wrote: false });
  });
});

describe("an artefact does not reach the registry that has", () => {
  test.each(UNTRUE)("%s", async (_title, offered, code, says) => {
    const { error, wrote } = await attempt(offered);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says) });
    expect(wrote).toBe(false);
  });
});

test("an artefact without a fault comes in by the same way", async () => {
  const { error, wrote } = await attempt(
    files(
      file("onnx/model.onnx", graphWith("model.onnx_data")),
      file("onnx/model.onnx_data", "abcd"),
      file("empty.txt", ""),
    ),
  );
  expect(error).toBeUndefined();
  expect(wrote).toBe(true);
});
