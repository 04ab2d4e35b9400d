// The table of operations that the crash, lost-write and error measurements go through. A new operation is one entry here or in derived.mjs.
import { writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { derived } from "./derived.mjs";
import { collect, LATER, LATEST, NOW, opened, publish, twoVersions, writeAll } from "./versions.mjs";

/** No process of Linux has this number. */
const DEAD_PID = 999_999_999;

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

async function digestOf(product, place, weights) {
  const models = await (await opened(product, place)).list();
  const versions = models.flatMap(({ versions: all }) => all);
  return versions[weights === "one" ? 0 : 1].version;
}

/**
 * `prepare` makes the old state; `run` is what is killed, starved and cut off, and must succeed when it is run again.
 * `parts` names what of the product it needs beside the registry. `look` and `leaves` say how its state and its files are compared, where they are not
 * the same bytes every time; `between` says what is wrong with a state that is neither old nor new, where there may be one.
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
  takeAliasAway: {
    prepare: twoVersions,
    run: async (product, place) => {
      const request = { name: "reranker", alias: "latest", reason: "not needed", now: NOW };
      await (await opened(product, place)).removeAlias(request);
    },
    once: true,
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
  ...derived,
};
