// One of many processes at work on the same registry. Says what it did and saw, with the machine's clock before and after.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadProduct } from "./build.mjs";
import { generator } from "./random.mjs";

const product = await loadProduct(process.argv[2]);
process.on("message", async (task) => process.send(await work(task)));
process.on("disconnect", () => process.exit(0));
process.send("ready");

const clock = () => process.hrtime.bigint().toString();

async function work({ root, number, round }) {
  const report = { writes: [], reads: [], failures: [] };
  const random = generator(round * 1000 + number);
  const registry = await product.openRegistry(root);
  const steps = [publish, move, read, random.pick([publish, move, collect]), read];
  for (const [step, run] of steps.entries()) {
    try {
      await run({ registry, random, reason: `${number}.${step}`, number, report });
    } catch (error) {
      report.failures.push(`process ${number}, step ${step}: ${error.code ?? error.name} ${error.message}`);
    }
  }
  return report;
}

async function timed(report, reason, act) {
  const start = clock();
  const moved = await act();
  report.writes.push({ reason, moved, start, end: clock() });
}

/** Content that others publish too, and content of its own. */
async function publish({ registry, random, reason, number, report }) {
  const content = random.chance(0.3) ? "shared" : `${number} ${reason}`;
  const files = [
    { path: "config.json", source: { content: "{}" } },
    { path: "onnx/model.onnx", source: { content: content.repeat(400) } },
  ];
  const request = { name: "reranker", alias: "latest", files, config: { descriptor: {}, config: {} }, reason };
  await timed(report, reason, async () => {
    const { added } = await registry.publishVersion(request);
    return added;
  });
}

async function move({ registry, random, reason, report }) {
  const versions = (await registry.list()).flatMap((model) => model.versions);
  if (versions.length === 0) return;
  const request = { reference: random.pick(versions).version, alias: random.pick(["staging", "prod"]), reason };
  await timed(report, reason, async () => (await registry.moveAlias(request)).moved);
}

/** Takes nothing that a version needs, however young: the blobs of publishers at work have their grace. */
async function collect({ registry, reason, report }) {
  const request = { keep: 100, olderThanDays: 1, graceMs: 60_000, quarantineMs: 0, carryOut: true, now: new Date() };
  await timed(report, reason, async () => {
    await registry.collect(request);
    return false;
  });
}

/** The aliases at one moment, and every file of one version, checked. */
async function read({ registry, random, report }) {
  const start = clock();
  const models = await registry.list();
  const aliases = Object.fromEntries(
    models.flatMap((model) =>
      Object.entries(model.aliases).map(([alias, digest]) => [`${model.name}:${alias}`, digest]),
    ),
  );
  report.reads.push({ start, end: clock(), aliases });
  const versions = models.flatMap((model) => model.versions);
  if (versions.length === 0) return;
  const folder = await mkdtemp(join(tmpdir(), "rerank-tune-reader-"));
  await registry.pull(random.pick(versions).version, join(folder, "model"));
  await rm(folder, { recursive: true, force: true });
}
