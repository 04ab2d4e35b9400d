// R8: random histories of a registry, each step compared with a model in memory. A history stops at its first difference and is reported with its seed and steps.
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { Model } from "./harness/model.mjs";
import { generator } from "./harness/random.mjs";
import { workFolder } from "./harness/trials.mjs";

const HISTORIES = 1000;
const STEPS = 40;
const NAMES = ["first", "second"];
const ALIASES = ["latest", "staging", "prod"];
const START = Date.UTC(2100, 0, 1);

export async function measure({ product, short, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  const done = {};
  try {
    for (let seed = 0; seed < (short ? 4 : HISTORIES); seed += 1) {
      const failure = await history(product, join(work.folder, String(seed)), seed, done);
      result.tried += 1;
      if (failure === undefined) result.passed += 1;
      else result.failures.push(`history ${seed}: ${failure}`);
      await rm(join(work.folder, String(seed)), { recursive: true, force: true });
    }
  } finally {
    await work.remove();
  }
  log(
    Object.entries(done)
      .map(([name, count]) => `${count} ${name}`)
      .join(", "),
  );
  return result;
}

/** @returns the step that went wrong, with the steps before it, or undefined. A history is stopped at its first difference, so no step behind it is in the report. */
export async function history(product, folder, seed, done) {
  const random = generator(seed);
  const world = { product, root: join(folder, "registry"), folder, model: new Model(), random, step: 0 };
  world.registry = await product.openRegistry(world.root, { create: true });
  const trail = [];
  for (; world.step < STEPS; world.step += 1) {
    const name = random.pick(WEIGHTED);
    trail.push(name);
    done[name] = (done[name] ?? 0) + 1;
    try {
      const complaint = (await STEPS_OF[name](world)) ?? (await compared(world));
      if (complaint !== undefined) return `${trail.join(" ")}: ${complaint}`;
    } catch (error) {
      const problems = (error.problems ?? []).map(({ message }) => message).join(", ");
      return `${trail.join(" ")}: ${error.code ?? error.name} ${error.message} ${problems}`;
    }
  }
  return undefined;
}

/** Later with every step, far from the times of the files. */
const now = ({ step }) => new Date(START + step * 3_600_000);

const STEPS_OF = {
  async publish(world) {
    const { random, registry, model } = world;
    const [name, alias, content] = [random.pick(NAMES), random.pick(ALIASES), `weights ${random.below(6)}`];
    const referrers = random.chance(0.3)
      ? [{ artifactType: world.product.REPORT_TYPE, content: JSON.stringify({ step: world.step }) }]
      : [];
    const files = [
      { path: "config.json", source: { content: "{}" } },
      { path: "onnx/model.onnx", source: { content } },
    ];
    const request = { name, alias, files, referrers, config: { descriptor: {}, config: {} }, now: now(world) };
    const { digest, added } = await registry.publishVersion(request);
    if (added === model.has(name, digest)) return `added was ${added}`;
    model.publish(name, alias, digest, content);
  },
  async move(world) {
    const target = anyVersion(world);
    if (target === undefined) return undefined;
    const alias = world.random.pick(ALIASES);
    const { moved } = await world.registry.moveAlias({
      reference: target.version,
      alias,
      reason: "chosen",
      now: now(world),
    });
    return world.model.move(target.name, alias, target.digest) === moved ? undefined : `moved was ${moved}`;
  },
  async rollback(world) {
    const [name, alias] = [world.random.pick(NAMES), world.random.pick(ALIASES)];
    const expected = world.model.rollback(name, alias);
    const request = { name, alias, reason: "worse", now: now(world) };
    if (expected === undefined) return await refused(() => world.registry.rollback(request), "REGISTRY_NOT_FOUND");
    const { to } = await world.registry.rollback(request);
    return to === expected ? undefined : `went back to ${to}, not ${expected}`;
  },
  async takeAway(world) {
    const [name, alias] = [world.random.pick(NAMES), world.random.pick(ALIASES)];
    const held = world.model.takeAway(name, alias);
    const request = { name, alias, reason: "not needed", now: now(world) };
    if (held === undefined) return await refused(() => world.registry.removeAlias(request), "REGISTRY_NOT_FOUND");
    const { from } = await world.registry.removeAlias(request);
    return from === held ? undefined : `took ${from} away, not ${held}`;
  },
  async remove(world) {
    const target = anyVersion(world);
    if (target === undefined) return undefined;
    const request = { reference: target.version, reason: "old", now: now(world) };
    if (world.model.holds(target.name, target.digest))
      return await refused(() => world.registry.remove(request), "USAGE");
    await world.registry.remove(request);
    world.model.remove(target.name, target.digest);
  },
  async collect(world) {
    const keep = world.random.below(3);
    const request = { keep, olderThanDays: 0, graceMs: 0, quarantineMs: 7_200_000, carryOut: true, now: now(world) };
    await world.registry.collect(request);
    world.model.collect(keep);
    const [there, reached] = [await blobs(world.root), await reachable(world.root)];
    const unused = there.filter((name) => !reached.has(name));
    return unused.length === 0 && there.length === reached.size
      ? undefined
      : `${unused.length} blobs left that nothing names, ${reached.size - there.length} too few`;
  },
  async pull(world) {
    const target = anyVersion(world);
    if (target === undefined) return undefined;
    const folder = join(world.folder, `pulled-${world.step}`);
    await world.registry.pull(target.version, folder);
    return (await readFile(join(folder, "onnx", "model.onnx"), "utf8")) === target.content
      ? undefined
      : "other content was pulled";
  },
  async verify(world) {
    await world.registry.verify();
  },
  async reopen(world) {
    world.registry = await world.product.openRegistry(world.root);
  },
  async unknown(world) {
    return await refused(() => world.registry.show(`first@sha256:${"0".repeat(64)}`), "REGISTRY_NOT_FOUND");
  },
};
const WEIGHTED = [
  "publish",
  "publish",
  "publish",
  "move",
  "move",
  "rollback",
  "rollback",
  "takeAway",
  "remove",
  "collect",
  "pull",
  "verify",
  "reopen",
  "unknown",
];

function anyVersion({ model, random }) {
  const all = NAMES.flatMap((name) =>
    model.of(name).map((version) => ({ name, version: `${name}@${version.digest}`, ...version })),
  );
  if (all.length === 0) return undefined;
  const { name, digest, content } = random.pick(all);
  return { name, digest, content, version: `${name}@${digest}` };
}

async function refused(act, code) {
  return await act().then(
    () => `it was not refused with ${code}`,
    (error) => (error.code === code ? undefined : `refused with ${error.code}: ${error.message}`),
  );
}

/** Names, versions in order, and aliases, as the product lists them and as the model has them. */
async function compared({ registry, model }) {
  const listed = (await registry.list()).map(({ name, versions, aliases }) => [
    name,
    versions.map(({ digest }) => digest),
    sorted(aliases),
  ]);
  const expected = model
    .names()
    .sort()
    .map((name) => [name, model.of(name).map(({ digest }) => digest), sorted(model.aliases(name))]);
  const [left, right] = [JSON.stringify(listed), JSON.stringify(expected)];
  return left === right ? undefined : `listed ${left}, expected ${right}`;
}

const sorted = (aliases) => Object.entries(aliases).sort(([left], [right]) => (left < right ? -1 : 1));

const blobs = (root) => readdir(join(root, "blobs", "sha256")).catch(() => []);

/** Names of all blobs that index.json leads to, found without the product. */
async function reachable(root) {
  const { manifests } = JSON.parse(await readFile(join(root, "index.json"), "utf8"));
  const found = new Set();
  for (const { digest } of manifests) {
    found.add(digest.slice(7));
    const { config, layers } = JSON.parse(await readFile(join(root, "blobs", "sha256", digest.slice(7)), "utf8"));
    for (const named of [config, ...layers]) found.add(named.digest.slice(7));
  }
  return found;
}
