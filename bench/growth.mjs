// Cost as data grows: prepare and mine at 1k, 5k and 20k pairs, check and split of one file with a million rows; seconds and peak memory.
//
// run: npm run bench -- growth [--sizes 1000,5000,20000] [--million 1000000] [--rounds 3]
// Needs `npm run build`. Texts are made of made-up words. Every command is a process of its own; its peak is what the system says at its end.
// The exponent is the slope of log(seconds) over log(pairs) between neighbouring sizes, start-up left out: 1 is linear.
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { parseArgs } from "node:util";
import { execa } from "execa";
import { machineRecord } from "../dist/stages/verify/machine.js";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,5000,20000" },
    million: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "3" },
  },
});
const PASSAGES = 8;
const CLI = join(import.meta.dirname, "..", "dist", "cli.js");
const PEAK =
  "import{writeFileSync as w}from'node:fs';process.on('exit',()=>w(process.env.PEAK_FILE,''+process.resourceUsage().maxRSS))";
const folder = mkdtempSync(join(tmpdir(), "growth-"));

try {
  const { cpu, cores, node } = machineRecord(0);
  process.stdout.write(`${cpu}, ${cores} cores, Node ${node}\n`);
  writeBase();
  const start = Math.min(...(await repeat(() => timed("start", ["--version"]))).map(({ seconds }) => seconds));
  for (const command of [prepare, mine]) await curve(command, start);
  await million();
} finally {
  rmSync(folder, { recursive: true });
}

/** Prints one line a size. */
async function curve(command, start) {
  let last;
  for (const pairs of values.sizes.split(",").map(Number)) {
    const data = await writeData(pairs);
    const runs = await repeat((round) => command(data, `${pairs}-${round}`));
    const seconds = runs.map((run) => run.seconds).sort((left, right) => left - right);
    const median = seconds[Math.floor(seconds.length / 2)];
    const exponent = last && Math.log((median - start) / (last.median - start)) / Math.log(pairs / last.pairs);
    const slope = exponent === undefined ? "" : `, exponent ${exponent.toFixed(2)}`;
    const spread = `${seconds[0].toFixed(1)}-${seconds.at(-1).toFixed(1)}`;
    process.stdout.write(
      `${command.name} ${pairs} pairs: ${median.toFixed(1)} s (${spread}), peak ${peakOf(runs)} MB${slope}\n`,
    );
    last = { median, pairs };
  }
}

async function million() {
  const { pairs } = await writeData(Number(values.million));
  const check = await timed("check", ["data", "check", pairs], [0, 3]);
  process.stdout.write(`check ${values.million} rows: ${check.seconds.toFixed(0)} s, peak ${peakOf([check])} MB\n`);
  const split = await timed("split", ["data", "split", pairs, "--out", join(folder, "sides")]);
  process.stdout.write(`split ${values.million} rows: ${split.seconds.toFixed(0)} s, peak ${peakOf([split])} MB\n`);
}

async function prepare({ pairs }, name) {
  const recipe = join(folder, `${name}.yaml`);
  const base = join(folder, "base");
  writeFileSync(recipe, `schema: 1\nname: growth\nbase_model: { path: ${base} }\nprepare: { source: ${pairs} }\n`);
  return await timed(name, ["prepare", recipe, "--artifacts", join(folder, `artifacts-${name}`)]);
}

async function mine({ pairs, corpus }, name) {
  const args = ["data", "mine", pairs, "--corpus", corpus, "--out", join(folder, `mined-${name}.jsonl`)];
  return await timed(name, args);
}

async function timed(name, args, codes = [0]) {
  const peakFile = join(folder, `peak-${name}`);
  const options = { env: { PEAK_FILE: peakFile }, reject: false };
  const started = performance.now();
  const result = await execa(
    process.execPath,
    ["--import", `data:text/javascript,${encodeURIComponent(PEAK)}`, CLI, ...args],
    options,
  );
  const seconds = (performance.now() - started) / 1000;
  if (!codes.includes(result.exitCode)) throw new Error(`${args.join(" ")}: ${result.stderr}`);
  return { seconds, kilobytes: Number(readFileSync(peakFile, "utf8")) };
}

async function repeat(run) {
  const results = [];
  for (let round = 0; round < Number(values.rounds); round++) results.push(await run(round));
  return results;
}

function peakOf(runs) {
  return Math.round(Math.max(...runs.map(({ kilobytes }) => kilobytes)) / 1024);
}

/** Pairs in groups of eight, one of them relevant and sharing words with its query; a corpus of five passages a pair; a base to name. */
async function writeData(count) {
  const pairs = join(folder, `pairs-${count}.jsonl`);
  const corpus = join(folder, `corpus-${count}.jsonl`);
  if (existsSync(pairs)) return { pairs, corpus };
  const random = generator(count);
  const out = createWriteStream(pairs);
  for (let row = 0; row < count; row += PASSAGES) {
    const query = words(random, 8);
    for (let passage = 0; passage < PASSAGES && row + passage < count; passage++) {
      const text = passage === 0 ? `${query} ${words(random, 40)}` : words(random, 48);
      await write(out, { query, passage: text, label: passage === 0 ? 1 : 0 });
    }
  }
  out.end();
  const all = createWriteStream(corpus);
  const documents = count > 100_000 ? 0 : 5 * count;
  for (let id = 0; id < documents; id++) await write(all, { _id: String(id), text: words(random, 48) });
  all.end();
  await Promise.all([finished(out), finished(all)]);
  return { pairs, corpus };
}

/** What prepare reads of a base: its tokenizer. The one of the tests, of BERT's kind; there are no weights. */
function writeBase() {
  const base = join(folder, "base");
  const { kinds } = JSON.parse(
    readFileSync(join(import.meta.dirname, "..", "test", "fixtures", "tokenizers.json"), "utf8"),
  );
  mkdirSync(base);
  writeFileSync(join(base, "tokenizer.json"), JSON.stringify(kinds.find(({ kind }) => kind === "bert").tokenizer));
  writeFileSync(join(base, "config.json"), JSON.stringify({ model_type: "bert", architectures: ["BertModel"] }));
  writeFileSync(join(base, "model.safetensors"), "");
}

async function write(stream, row) {
  if (!stream.write(`${JSON.stringify(row)}\n`)) await new Promise((resolve) => stream.once("drain", resolve));
}

/** Words of a vocabulary of 30,000, the frequent ones more often, as in real text. */
function words(random, count) {
  return Array.from({ length: count }, () => `w${Math.floor(30_000 * random() ** 3).toString(36)}`).join(" ");
}

/** mulberry32, so that every run has the same texts. */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
