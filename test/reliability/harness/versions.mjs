// Versions, folders and small steps that the operations of these measurements are made of.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Fixed, so that the same operation always writes the same bytes. */
export const NOW = new Date("2026-01-02T03:04:05Z");
const REPORT = "application/vnd.rerank-tune.verify-report.v1+json";
/** Later than any file of these tests, so that nothing counts as too young to collect. */
export const LATER = new Date("2100-01-02T03:04:05Z");
export const LATEST = new Date("2101-01-02T03:04:05Z");

/** A version as `publishVersion` takes it; `weights` tells versions apart, one file comes from the disk. @param more fields of the request; `files` beside those of every version, `report` to attach. */
export function version(place, weights, more = {}) {
  const { report, files = [], weightsPath = "onnx/model.onnx", ...rest } = more;
  return {
    name: "reranker",
    alias: "latest",
    files: [
      { path: "README.md", source: { content: `# card of ${weights}` } },
      { path: "config.json", source: { content: "{}" } },
      { path: weightsPath, source: join(place.sources, `${weights}.onnx`) },
      ...files,
    ],
    config: { descriptor: { name: "reranker" }, config: { format: "onnx" } },
    referrers: report === undefined ? [] : [{ artifactType: REPORT, content: JSON.stringify({ report }) }],
    now: NOW,
    ...rest,
  };
}

export async function publish({ openRegistry }, place, weights, more) {
  const registry = await openRegistry(place.root, { create: true });
  await registry.publishVersion(version(place, weights, more));
}

export const opened = async ({ openRegistry }, place) => await openRegistry(place.root);

/** Two versions under `latest`; the first is held by no alias any more. */
export async function twoVersions(product, place) {
  await publish(product, place, "one", { report: 1 });
  await publish(product, place, "two");
}

export async function collect(product, place, now) {
  const retention = { keep: 0, olderThanDays: 0, graceMs: 0, quarantineMs: 1000 };
  await (await opened(product, place)).collect({ ...retention, carryOut: true, now });
}

export async function writeAll(files) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/** A writing command without effect: it drops what an interrupted one left. */
export async function settle(product, place) {
  const request = { name: "reranker", alias: "nowhere", rule: undefined, reason: "nothing", now: NOW };
  await (await opened(product, place)).setProtection(request);
}

/** The folders of one trial. Sources are fixed, everything else may change. */
export async function makePlace(folder, sources) {
  await mkdir(folder, { recursive: true });
  const below = (name) => join(folder, name);
  return {
    folder,
    root: below("registry"),
    target: below("pulled"),
    home: below("home"),
    key: below("key.pem"),
    sources,
  };
}

/** The files that versions are published from; larger than one write of a stream, so that writes can tear. */
export async function writeSources(folder) {
  const bytes = (text, length) => text.repeat(Math.ceil(length / text.length)).slice(0, length);
  await writeAll({
    [join(folder, "one.onnx")]: bytes("one weight ", 3000),
    [join(folder, "two.onnx")]: bytes("two weights ", 5000),
  });
  return folder;
}
