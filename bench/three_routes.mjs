// A real package over three routes (folder view, Hub cache view, server), read by every consumer: same bytes, same scores as the golden pairs.
// run: npm run build; node bench/three_routes.mjs PACKAGE PYTHON SENTENCE_TRANSFORMERS_FOLDER
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { hashFile, listFiles } from "../dist/artifacts/hash.js";
import { openRegistry } from "../dist/registry/index.js";
import { buildView } from "../dist/registry/views/index.js";
import { startServer } from "../dist/serve/index.js";

const run = promisify(execFile);
const [folder, python, packages] = process.argv.slice(2);
const readers = resolve(import.meta.dirname, "../test/e2e");
const home = await mkdtemp(join(tmpdir(), "rerank-tune-routes-"));
const root = join(home, "registry");
const environment = { ...process.env, HF_TOKEN: "", HF_HUB_DISABLE_TELEMETRY: "1", HF_HUB_DISABLE_PROGRESS_BARS: "1" };
const options = (more) => ({ env: { ...environment, HF_HOME: join(home, "hf"), ...more }, maxBuffer: 1 << 28 });
const lastLine = ({ stdout }) => JSON.parse(stdout.trim().split("\n").at(-1));

async function readPython(routes, variables) {
  const job = join(home, "python.json");
  await writeFile(job, JSON.stringify({ routes, pairs, packages }));
  return lastLine(await run(python, [join(readers, "hub_readers.py"), job], options(variables)));
}

const paths = await listFiles(folder);
const expected = Object.fromEntries(
  await Promise.all(paths.map(async (path) => [path, await hashFile(join(folder, path))])),
);
const { max_length, pairs: golden } = JSON.parse(await readFile(join(folder, "golden_pairs.json"), "utf8"));
const used = golden.filter(
  ({ input_ids, query, passage }) => input_ids.length < max_length && query !== "" && passage !== "",
);
const pairs = used.map(({ query, passage }) => [query, passage]);
const registry = await openRegistry(root, { create: true });
const files = paths.map((path) => ({ path, source: join(folder, path) }));
const { digest } = await registry.publishVersion({
  name: "model",
  alias: "latest",
  files,
  config: { descriptor: {}, config: {} },
});
const revision = digest.slice(7, 47);
for (const kind of ["hub", "folders"])
  await buildView(root, join(home, kind), { kind, models: [], all: false, org: "local", link: false });
const server = await startServer({ root, host: "127.0.0.1", port: 0, organization: "local", log: () => undefined });

const found = [];
/** @param ids those of the reader's own tokenizer, where it may differ; pairs that it reads otherwise are counted, not compared. */
const add = (route, reader, { scores, ids, files: bytes }) => {
  const alike = pairs.map((_, at) => ids === undefined || ids[at].join() === used[at].input_ids.join());
  for (const [what, logits] of Object.entries(scores))
    found.push({ route, reader, what: what === "q8" ? "int8" : what, logits, alike });
  if (bytes !== undefined && JSON.stringify(sorted(bytes)) !== JSON.stringify(sorted(expected)))
    throw new Error(`${reader} got other bytes over ${route}`);
};
const sorted = (object) => Object.entries(object).sort(([left], [right]) => (left < right ? -1 : 1));

try {
  const served = await readPython([{ name: "serve", id: "local/model" }], { HF_ENDPOINT: server.url });
  add("serve", "Python", served.serve);
  const offline = { HF_HUB_CACHE: join(home, "hub"), HF_HUB_OFFLINE: "1" };
  const local = await readPython(
    [
      { name: "hub", id: "local/model" },
      { name: "folders", id: join(home, "folders", "model", "latest") },
    ],
    offline,
  );
  add("hub view", "Python", local.hub);
  add("folder view", "Python", local.folders);
  const job = join(home, "node.json");
  const folders = { local: join(home, "folders"), name: "model/latest" };
  const snapshot = join(home, "hub", "models--local--model", "snapshots", revision);
  await writeFile(
    job,
    JSON.stringify({
      endpoint: server.url,
      cache: join(home, "node"),
      id: "local/model",
      revision,
      folders,
      snapshot,
      pairs,
    }),
  );
  const node = lastLine(await run(process.execPath, [join(readers, "hub_readers.mjs"), job], options({})));
  add("serve", "Node", node.serve);
  add("hub view", "Node", node.hub);
  add("folder view", "Node", node.folders);
  await server.stop(0);

  const far = (left, right, counts = () => true) =>
    Math.max(0, ...left.map((value, at) => (counts(at) ? Math.abs(value - right[at]) : 0)));
  const logits = used.map(({ logit }) => logit);
  console.log(`${paths.length} files byte-equal over every route; ${pairs.length} golden pairs\n`);
  console.log("reader  what                   to the golden pairs  between the routes  same token ids");
  let worst = 0;
  for (const reader of ["Python", "Node"])
    for (const what of [...new Set(found.filter((entry) => entry.reader === reader).map((entry) => entry.what))]) {
      const rows = found.filter((entry) => entry.reader === reader && entry.what === what);
      const between = Math.max(...rows.map((row) => far(row.logits, rows[0].logits)));
      const toGolden = Math.max(...rows.map((row) => far(row.logits, logits, (at) => row.alike[at])));
      const alike = Math.min(...rows.map((row) => row.alike.filter(Boolean).length));
      worst = Math.max(worst, between, ["fp32", "sentence-transformers"].includes(what) ? toGolden - 1e-4 : 0);
      console.log(
        `${reader.padEnd(7)} ${what.padEnd(22)} ${toGolden.toExponential(2).padStart(19)} ${between.toExponential(2).padStart(19)}  ${alike} of ${pairs.length} pairs, ${rows.length} routes`,
      );
    }
  console.log(
    worst > 0
      ? "\nDIFFERENT"
      : "\nequal: no difference between routes, fp32 and sentence-transformers within 1e-4 of the golden pairs",
  );
  process.exitCode = worst > 0 ? 1 : 0;
} finally {
  await rm(home, { recursive: true, force: true });
}
