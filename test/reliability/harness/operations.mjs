// The table of operations that the crash, lost-write and error measurements go through. A new operation of the registry is one entry here.
import { mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname, join } from "node:path";

/** Fixed, so that the same operation always writes the same bytes. */
const NOW = new Date("2026-01-02T03:04:05Z");
const REPORT = "application/vnd.rerank-tune.verify-report.v1+json";
/** Later than any file of these tests, so that nothing counts as too young to collect. */
const LATER = new Date("2100-01-02T03:04:05Z");
const LATEST = new Date("2101-01-02T03:04:05Z");
/** No process of Linux has this number. */
const DEAD_PID = 999_999_999;

/** A version as `publishVersion` takes it; `weights` tells versions apart, one file comes from the disk. */
export function version(place, weights, more = {}) {
  const { report, ...rest } = more;
  return {
    name: "reranker",
    alias: "latest",
    files: [
      { path: "README.md", source: { content: `# card of ${weights}` } },
      { path: "config.json", source: { content: "{}" } },
      { path: "onnx/model.onnx", source: join(place.sources, `${weights}.onnx`) },
    ],
    config: { descriptor: { name: "reranker" }, config: { format: "onnx" } },
    referrers: report === undefined ? [] : [{ artifactType: REPORT, content: JSON.stringify({ report }) }],
    now: NOW,
    ...rest,
  };
}

async function publish({ openRegistry }, place, weights, more) {
  const registry = await openRegistry(place.root, { create: true });
  await registry.publishVersion(version(place, weights, more));
}

/** What a publisher leaves that died between its history and its index: staged bytes, a torn line, a lock. */
async function leftovers(place) {
  const staging = join(place.root, "tmp", `${DEAD_PID}@${hostname()}.01234567-89ab-cdef-0123-456789abcdef`);
  await writeAll({
    [join(staging, "staged")]: "half of a mod",
    [join(place.root, "index.json.01234567.tmp")]: '{"schemaVersion":',
    [join(place.root, ".lock")]: JSON.stringify({ pid: DEAD_PID, host: hostname() }),
  });
  await writeFile(join(place.root, "reflog.ndjson"), '{"time":"2026-', { flag: "a" });
}

const opened = async ({ openRegistry }, place) => await openRegistry(place.root);

/** Two versions under `latest`; the first is held by no alias any more. */
async function twoVersions(product, place) {
  await publish(product, place, "one", { report: 1 });
  await publish(product, place, "two");
}

async function collect(product, place, now) {
  const retention = { keep: 0, olderThanDays: 0, graceMs: 0, quarantineMs: 1000 };
  await (await opened(product, place)).collect({ ...retention, carryOut: true, now });
}

async function digestOf(product, place, weights) {
  const models = await (await opened(product, place)).list();
  const versions = models.flatMap(({ versions: all }) => all);
  return versions[weights === "one" ? 0 : 1].version;
}

async function writeAll(files) {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

/**
 * `prepare` makes the old state; `run` is what is killed, starved and cut off, and must succeed when it is run again.
 * `once` marks what is another step when it is run again, such as going back; it is repeated only where it had no effect.
 */
export const operations = {
  createRegistry: {
    prepare: async () => undefined,
    run: async ({ openRegistry }, place) => void (await openRegistry(place.root, { create: true })),
    once: true,
  },
  publish: {
    prepare: async ({ openRegistry }, place) => void (await openRegistry(place.root, { create: true })),
    run: (product, place) => publish(product, place, "one", { report: 1 }),
  },
  republish: {
    prepare: (product, place) => publish(product, place, "one"),
    run: (product, place) => publish(product, place, "one"),
  },
  secondVersion: {
    prepare: (product, place) => publish(product, place, "one", { report: 1 }),
    run: (product, place) => publish(product, place, "two", { report: 2, reason: "better" }),
  },
  attachReport: {
    prepare: (product, place) => publish(product, place, "one"),
    run: (product, place) => publish(product, place, "one", { report: 1 }),
  },
  publishElsewhere: {
    prepare: async (product, place) => {
      await twoVersions(product, place);
      await publish(product, place, "two", { alias: "staging" });
    },
    run: (product, place) => publish(product, place, "one", { alias: "staging", report: 1, reason: "back" }),
  },
  moveAlias: {
    prepare: twoVersions,
    run: async (product, place) => {
      const request = { reference: await digestOf(product, place, "one"), alias: "prod", reason: "chosen", now: NOW };
      await (await opened(product, place)).moveAlias(request);
    },
  },
  rollback: {
    prepare: twoVersions,
    run: async (product, place) => {
      const request = { name: "reranker", alias: "latest", reason: "worse", now: NOW };
      await (await opened(product, place)).rollback(request);
    },
    once: true,
  },
  protect: {
    prepare: twoVersions,
    run: async (product, place) => {
      const request = { name: "reranker", alias: "prod", rule: "passed", reason: "in use", now: NOW };
      await (await opened(product, place)).setProtection(request);
    },
  },
  remove: {
    prepare: twoVersions,
    run: async (product, place) => {
      const request = { reference: await digestOf(product, place, "one"), reason: "old", now: NOW };
      await (await opened(product, place)).remove(request);
    },
    once: true,
  },
  collect: {
    prepare: twoVersions,
    run: (product, place) => collect(product, place, LATER),
  },
  collectAgain: {
    prepare: async (product, place) => {
      await twoVersions(product, place);
      await collect(product, place, LATER);
    },
    run: (product, place) => collect(product, place, LATEST),
  },
  restore: {
    prepare: async (product, place) => {
      await twoVersions(product, place);
      await collect(product, place, LATER);
    },
    run: async (product, place) =>
      void (await (await opened(product, place)).restore({ now: LATEST, reason: "needed" })),
  },
  afterCrash: {
    prepare: async (product, place) => {
      await publish(product, place, "one");
      await leftovers(place);
    },
    run: (product, place) => publish(product, place, "two"),
  },
  pull: {
    prepare: (product, place) => publish(product, place, "one"),
    run: async (product, place) => void (await (await opened(product, place)).pull("reranker", place.target)),
    once: true,
  },
};

/** A writing command without effect: it drops what an interrupted one left. */
export async function settle(product, place) {
  const request = { name: "reranker", alias: "nowhere", rule: undefined, reason: "nothing", now: NOW };
  await (await opened(product, place)).setProtection(request);
}

/** The folders of one trial. Sources are fixed, everything else may change. */
export async function makePlace(folder, sources) {
  await mkdir(folder, { recursive: true });
  return { folder, root: join(folder, "registry"), target: join(folder, "pulled"), sources };
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
