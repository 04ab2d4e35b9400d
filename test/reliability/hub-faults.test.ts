// R9: every step of a release meets every fault, once and for good; then children are killed in the middle and started again.
// A share runs in `npm test`; RERANK_TUNE_ALL_FAULTS=1 runs all of it and prints the counts (bench/hub_faults.mjs).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { RerankTuneError } from "../../src/errors.js";
import { compileSource } from "../helpers/compiled-source.js";
import { prepared, QUICK, type Releasable, releasable } from "../helpers/releasable.js";
import { FAULTS, type Fault } from "../stand-ins/hub/faults.js";
import { type HubServer, type Step, startHubServer, TOKEN } from "../stand-ins/hub/server.js";

const ALL = process.env.RERANK_TUNE_ALL_FAULTS === "1";
// A busy machine makes everything slow, and only a fault that hangs may count as silence.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 });
const STEPS = ["create", "preupload", "batch", "put", "part", "complete", "commit", "tag"] as const;
const PASSING: readonly Fault[] = ["500", "503", "429", "reset", "hang", "truncated", "lost"];
const REPO = "acme/tiny";

/** What a fault that stays must be called. */
const CODES: Record<Fault, string[]> = {
  "500": ["RELEASE_FAILED"],
  "503": ["RELEASE_FAILED"],
  "429": ["RELEASE_FAILED"],
  reset: ["RELEASE_FAILED"],
  hang: ["RELEASE_FAILED"],
  truncated: ["RELEASE_FAILED"],
  lost: ["RELEASE_FAILED"],
  "401": ["HUB_UNAUTHORIZED"],
  "403": ["HUB_UNAUTHORIZED"],
  "409": ["RELEASE_CONFLICT"],
  "412": ["RELEASE_CONFLICT"],
  "413": ["RELEASE_FAILED"],
};

/** What comes of a step that fails every time. Done is done: where the reply alone is lost, what is there is found by looking. */
function lastingOutcome(step: Step, fault: Fault): string[] {
  const looked = ["create", "put", "complete", "commit", "tag"].includes(step);
  if ((fault === "lost" || fault === "truncated") && looked) return ["released"];
  return CODES[fault];
}

let source: Releasable;
let root = "";
const counts: Record<string, number> = {};
const count = (name: string, by = 1): void => {
  counts[name] = (counts[name] ?? 0) + by;
};

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rerank-tune-test-"));
  source = await releasable(join(root, "registry"));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
  const file = process.env.RERANK_TUNE_COUNTS;
  if (file !== undefined) await appendFile(file, `${JSON.stringify(counts)}\n`);
});

/** model.safetensors goes up in parts, the graphs of 20,000 and 10,000 bytes in one piece. */
async function hubWithParts(): Promise<HubServer> {
  const hub = await startHubServer();
  onTestFinished(() => hub.close());
  hub.partBytes = 20_000;
  return hub;
}

async function tryRelease(hub: HubServer): Promise<string> {
  try {
    await (await prepared(`hub:${REPO}`, source, { url: hub.url, token: TOKEN, patience: QUICK })).carryOut();
    return "released";
  } catch (error) {
    if (!(error instanceof RerankTuneError)) throw error;
    return error.code;
  }
}

/** On every branch nothing or all of it, and never a second commit. */
function soundHeads(hub: HubServer, of = source): string[] {
  const problems: string[] = [];
  for (const [branch, files] of [
    ["main", of.version.files],
    ["int8", of.twin?.files ?? []],
  ] as const) {
    const history = hub.store.history(REPO, branch);
    const releases = history.filter(({ summary }) => summary.startsWith("Release"));
    if (releases.length > 1) problems.push(`${releases.length} commits on ${branch}`);
    const paths = [...(history[0]?.tree.keys() ?? [])].filter((path) => path !== ".gitattributes");
    if (paths.length !== 0 && paths.length !== files.length) problems.push(`${branch} has ${paths.length} files`);
  }
  return problems;
}

function isWhole(hub: HubServer, of = source): boolean {
  const repository = hub.store.repositories.get(REPO);
  const tag = `v-${of.version.digest.slice(7, 19)}`;
  const commit = repository === undefined ? undefined : hub.store.at(repository, tag);
  return of.version.files.every(({ path, bytes }) => commit?.tree.get(path)?.size === bytes);
}

const bytesAgain = (hub: HubServer): number =>
  hub.arrived.filter(({ again }) => again).reduce((sum, { bytes }) => sum + bytes, 0);

/** The short share: every fault once, and every step at least once. */
const cells = STEPS.flatMap((step, row) =>
  FAULTS.map((fault, column) => ({ step, fault, share: column % STEPS.length === row })),
).filter(({ share }) => ALL || share);

describe("every step under every fault", () => {
  test.each(cells)("$step, $fault once: it goes on, or says why and goes on the next time", async ({ step, fault }) => {
    const hub = await hubWithParts();
    let met = 0;
    hub.fault = (call) => {
      if (call.step !== step || met > 0) return undefined;
      met += 1;
      return fault;
    };
    const first = await tryRelease(hub);
    expect(met).toBe(1);
    expect(soundHeads(hub)).toEqual([]);
    const again = bytesAgain(hub);
    if (PASSING.includes(fault)) expect(first).toBe("released");
    else expect(["released", ...CODES[fault]]).toContain(first);
    if (first !== "released") expect(await tryRelease(hub)).toBe("released");
    expect(bytesAgain(hub)).toBe(again);
    expect(soundHeads(hub)).toEqual([]);
    expect(isWhole(hub)).toBe(true);
    count("once: faults met");
    count(first === "released" ? "once: overcome in the same run" : "once: overcome by running again");
    count("stored bytes sent again", bytesAgain(hub));
  });

  test.each(cells)(
    "$step, $fault for good: bounded, rightly named, and the next run sends nothing twice",
    async ({ step, fault }) => {
      const hub = await hubWithParts();
      let met = 0;
      hub.fault = (call) => {
        if (call.step !== step) return undefined;
        met += 1;
        return fault;
      };
      const first = await tryRelease(hub);
      expect(lastingOutcome(step, fault)).toContain(first);
      // Three files go up at once and three parts of one; int8 and main are committed and tagged one after the other.
      expect(met).toBeLessThanOrEqual(QUICK.attempts * 6);
      expect(soundHeads(hub)).toEqual([]);
      const tagged = hub.store.repositories.get(REPO)?.tags.has(`v-${source.version.digest.slice(7, 19)}`) === true;
      expect(tagged).toBe(first === "released");
      const stored = new Set(hub.store.objects.keys());
      const arrivedBefore = hub.arrived.length;
      hub.fault = undefined;
      expect(await tryRelease(hub)).toBe("released");
      const second = hub.arrived.slice(arrivedBefore).filter(({ oid, again }) => again || stored.has(oid));
      expect(second).toEqual([]);
      expect(soundHeads(hub)).toEqual([]);
      expect(isWhole(hub)).toBe(true);
      count("for good: faults met");
      count(`for good: ${first}`);
      count("for good: calls under fault", met);
      count("stored bytes sent again", bytesAgain(hub));
    },
  );
});

/** How often a child is killed: after so many calls, and after so many bytes of what it sends. */
const CALLS = ALL ? [1, 4, 7, 9, 11, 13, 15, 18, 21, 25, 28, 31] : [12];
const BYTES = ALL ? [1_000, 70_000, 200_000, 410_000, 450_000, 500_000, 620_000, 690_000] : [450_000];
const CHILD = `
  import { openRegistry } from "./registry/index.js";
  import { hubDestination } from "./destinations/hub/index.js";
  const [dir, reference, target] = process.argv.slice(2);
  const registry = await openRegistry(dir);
  const versionsOf = async (name) => {
    const model = (await registry.list()).find((listed) => listed.name === name);
    return await Promise.all((model?.versions ?? []).map(({ version }) => registry.frozen(version)));
  };
  const context = { variables: process.env, signal: new AbortController().signal, emit() {}, now: () => new Date(), versionsOf };
  const prepared = await hubDestination().prepare(target, await registry.frozen(reference), context);
  await prepared.carryOut();`;

describe("a child that is killed in the middle", () => {
  let compiled: Awaited<ReturnType<typeof compileSource>>;
  let large: Releasable;
  let script = "";
  beforeAll(async () => {
    compiled = await compileSource();
    script = join(compiled.folder, "releaser.mjs");
    await writeFile(script, CHILD);
    large = await releasable(join(root, "large"), { bytes: 400_000 });
  });
  afterAll(() => compiled.remove());

  const start = (hub: HubServer) =>
    spawn(process.execPath, [script, large.registry.root, large.version.version, `hub:${REPO}`], {
      env: { ...process.env, HF_ENDPOINT: hub.url, HF_TOKEN: TOKEN },
      stdio: ["ignore", "ignore", "inherit"],
    });

  test.each([
    ...CALLS.map((calls) => ({ calls, bytes: Number.POSITIVE_INFINITY })),
    ...BYTES.map((bytes) => ({ calls: Number.POSITIVE_INFINITY, bytes })),
  ])(
    "after $calls calls, $bytes bytes: another start finishes it and sends nothing twice",
    async ({ calls, bytes }) => {
      const hub = await hubWithParts();
      hub.partBytes = 150_000;
      const first = start(hub);
      const kill = (): void => void first.kill("SIGKILL");
      let sent = 0;
      hub.fault = () => {
        if (hub.calls.length >= calls) kill();
        return first.killed ? "hang" : undefined;
      };
      hub.onPiece = (url, count) => {
        if (/^\/(put|part)\//.test(url.pathname)) sent += count;
        if (sent >= bytes) kill();
      };
      await once(first, "exit");
      expect(first.signalCode).toBe("SIGKILL");
      expect(soundHeads(hub, large)).toEqual([]);
      hub.fault = undefined;
      hub.onPiece = undefined;
      const stored = new Set(hub.store.objects.keys());
      const before = hub.arrived.length;
      const [code] = (await once(start(hub), "exit")) as [number | null];
      expect(code).toBe(0);
      expect(hub.arrived.slice(before).filter(({ oid, again }) => again || stored.has(oid))).toEqual([]);
      expect(soundHeads(hub, large)).toEqual([]);
      expect(isWhole(hub, large)).toBe(true);
      count("killed and finished by another start");
      count("stored bytes sent again", bytesAgain(hub));
    },
  );
});
