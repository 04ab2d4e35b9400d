// Node's scorer against Python's onnxruntime: the same batches, the same threads, in turns in one run. Prints the ratio with its spread.
//
// run: node bench/node_vs_python.mjs MODEL_FOLDER GROUPS.jsonl [--python PATH] [--rounds 15] [--queries 20] [--max-length 96] [--variant onnx/model.onnx] [--threads 0] [--out FILE]
// Needs `npm run build` and a Python with onnxruntime and numpy. A ratio below 1.10 meets the goal "within 10 %".
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { readGroups } from "../dist/dataset/groups.js";
import { BATCH_TOKENS, packBatch, planBatches } from "../dist/inference/batches.js";
import { Scorer } from "../dist/inference/scorer.js";
import { percentile } from "../dist/ranking/statistics.js";
import { machineRecord } from "../dist/stages/verify/machine.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: "python3" },
    rounds: { type: "string", default: "15" },
    queries: { type: "string", default: "20" },
    "max-length": { type: "string", default: "96" },
    variant: { type: "string", default: "onnx/model.onnx" },
    threads: { type: "string", default: "0" },
    out: { type: "string" },
  },
});
const [folder, groupsPath] = positionals;
if (folder === undefined || groupsPath === undefined) throw new Error("give a model folder and a groups file");

const scorer = await Scorer.start({
  folder,
  variantFile: values.variant,
  maxLength: Number(values["max-length"]),
  threads: Number(values.threads),
});
const pairs = await encodedPairs(Number(values.queries));
const plan = planBatches(pairs, BATCH_TOKENS.cpu);
const python = startPython(plan.map((positions) => pack(positions.map((position) => pairs[position]))));
const { version } = await python.next();

const times = { node: [], python: [], kernel: [] };
let largestDifference = 0;
for (let round = -2; round < Number(values.rounds); round++) {
  // Who goes first alternates; the first two rounds warm up.
  const order = round % 2 === 0 ? ["node", "python"] : ["python", "node"];
  const results = {};
  for (const side of order) results[side] = side === "node" ? await nodeRound() : await pythonRound();
  largestDifference = Math.max(largestDifference, differenceOf(results.node.scores, results.python.scores));
  if (round < 0) continue;
  times.node.push(results.node.ms);
  times.kernel.push(results.node.kernelMs);
  times.python.push(results.python.ms);
}
python.end();
await scorer.close();

const ratios = times.node.map((ms, index) => ms / times.python[index]);
const spread = (list) => ({
  median: round3(percentile(list, 0.5)),
  p25: round3(percentile(list, 0.25)),
  p75: round3(percentile(list, 0.75)),
  least: round3(Math.min(...list)),
});
const result = {
  what: "Node scorer (padding, process border, onnxruntime-node) over Python onnxruntime (padding, run) on the same batches",
  pairs: pairs.length,
  batches: plan.length,
  tokens: pairs.reduce((sum, pair) => sum + pair.ids.length, 0),
  rounds: ratios.length,
  node_ms: spread(times.node),
  node_inside_onnxruntime_ms: spread(times.kernel),
  python_ms: spread(times.python),
  ratio: { ...spread(ratios), of_least: round3(Math.min(...times.node) / Math.min(...times.python)) },
  largest_score_difference: largestDifference,
  onnxruntime_python: version,
  machine: machineRecord(Number(values.threads)),
};
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);

async function encodedPairs(queries) {
  const groups = [];
  for await (const group of readGroups(groupsPath)) {
    groups.push({ query: group.query, passages: group.passages.map(({ text }) => text) });
    if (groups.length === queries) break;
  }
  return [...scorer.tokenizer.encodeGroups(groups, Number(values["max-length"]))].flat();
}

function pack(batch) {
  const { ids, typeIds, lengths, width } = packBatch(batch);
  return { ids: [...ids], types: [...typeIds], lengths: [...lengths], width, pad: scorer.tokenizer.padId };
}

function startPython(batches) {
  const child = spawn(values.python, [join(import.meta.dirname, "node_vs_python.py")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const threads = Number(values.threads) || machineRecord(0).threads;
  child.stdin.write(`${JSON.stringify({ model: join(folder, values.variant), threads, batches })}\n`);
  return {
    next: async () => JSON.parse((await lines.next()).value),
    write: (line) => child.stdin.write(line),
    end: () => child.stdin.end(),
  };
}

async function nodeRound() {
  const kernelBefore = scorer.stats.runMs;
  const started = performance.now();
  const scores = await scorer.scoreEncoded(pairs);
  return { ms: performance.now() - started, kernelMs: scorer.stats.runMs - kernelBefore, scores };
}

async function pythonRound() {
  python.write("go\n");
  const { ms, scores } = await python.next();
  const flat = new Float32Array(pairs.length);
  plan.forEach((positions, batch) => {
    positions.forEach((position, row) => {
      flat[position] = scores[batch][row];
    });
  });
  return { ms, scores: flat };
}

function differenceOf(left, right) {
  return left.reduce((largest, value, index) => Math.max(largest, Math.abs(value - right[index])), 0);
}

function round3(value) {
  return Math.round(value * 1000) / 1000;
}
