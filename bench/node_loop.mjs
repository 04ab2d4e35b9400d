// Our scorer against the loop that one writes first in Node: tokenize each pair, pad all candidates of a query to the longest, run once.
//
// run: npm run bench -- node_loop MODEL_FOLDER GROUPS.jsonl [--variant onnx/model_quantized.onnx] [--queries 40] [--max-length 256] [--rounds 9]
// `loop` tokenizes with @huggingface/tokenizers, `loop, our tokens` with ours, so that what batching brings stands by itself. In turns in one run.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Tokenizer } from "@huggingface/tokenizers";
import ort from "onnxruntime-node";
import { readGroups } from "../dist/dataset/groups.js";
import { Scorer } from "../dist/inference/scorer.js";
import { percentile } from "../dist/ranking/statistics.js";
import { machineRecord } from "../dist/stages/verify/machine.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    variant: { type: "string", default: "onnx/model.onnx" },
    queries: { type: "string", default: "40" },
    "max-length": { type: "string", default: "256" },
    rounds: { type: "string", default: "9" },
  },
});
const [folder, groupsPath] = positionals;
if (folder === undefined || groupsPath === undefined) throw new Error("give a model folder and a groups file");
const maxLength = Number(values["max-length"]);
const json = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));

const groups = [];
for await (const { query, passages } of readGroups(groupsPath)) {
  groups.push({ query, passages: passages.map(({ text }) => text) });
  if (groups.length === Number(values.queries)) break;
}
const library = new Tokenizer(json("tokenizer.json"), json("tokenizer_config.json"));
const padding = json("config.json").pad_token_id ?? 0;
const session = await ort.InferenceSession.create(join(folder, values.variant));
const scorer = await Scorer.start({ folder, variantFile: values.variant, maxLength });
const encode = (group) => [...scorer.tokenizer.encodeGroups([group], maxLength)].flat().map(({ ids }) => ids);

/** The library cuts nothing: the last token stays, and what is too long before it goes. */
function encodeWithLibrary({ query, passages }) {
  return passages.map((passage) => {
    const { ids } = library.encode(query, { text_pair: passage });
    return ids.length <= maxLength ? ids : [...ids.slice(0, maxLength - 1), ids.at(-1)];
  });
}

async function plain(encoded) {
  const width = Math.max(...encoded.map((ids) => ids.length));
  const ids = new BigInt64Array(encoded.length * width).fill(BigInt(padding));
  const mask = new BigInt64Array(encoded.length * width);
  for (const [row, tokens] of encoded.entries())
    for (const [column, id] of tokens.entries()) {
      ids[row * width + column] = BigInt(id);
      mask[row * width + column] = 1n;
    }
  const tensor = (data) => new ort.Tensor("int64", data, [encoded.length, width]);
  const { logits } = await session.run({ input_ids: tensor(ids), attention_mask: tensor(mask) });
  return logits.data;
}

const SYSTEMS = {
  loop: async () => await eachQuery((group) => plain(encodeWithLibrary(group))),
  "loop, our tokens": async () => await eachQuery((group) => plain(encode(group))),
  "ours, a query at a time": async () => await eachQuery((group) => scorer.score(group.query, group.passages)),
  "ours, all at once": async () => await scorer.scoreGroups(groups),
};

async function eachQuery(score) {
  const scores = [];
  for (const group of groups) scores.push(await score(group));
  return scores;
}

const times = Object.fromEntries(Object.keys(SYSTEMS).map((name) => [name, []]));
let last = {};
for (let round = -1; round < Number(values.rounds); round++) {
  last = {};
  for (const [name, run] of Object.entries(SYSTEMS)) {
    const started = performance.now();
    last[name] = await run();
    if (round >= 0) times[name].push(performance.now() - started);
  }
}
await scorer.close();

const tokens = groups.flatMap(encode).reduce((sum, ids) => sum + ids.length, 0);
const pairs = groups.reduce((sum, { passages }) => sum + passages.length, 0);
const { cpu, cores, flags, onnxruntime, node } = machineRecord(0);
console.log(`${cpu}, ${cores} cores, ${flags.join(" ")}; onnxruntime-node ${onnxruntime}, Node ${node}`);
console.log(
  `${groups.length} queries, ${pairs} pairs, ${tokens} real tokens; ${values.variant}; ${values.rounds} rounds`,
);
for (const [name, list] of Object.entries(times)) {
  const ratios = list.map((ms, round) => times.loop[round] / ms);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => percentile(ratios, share).toFixed(2));
  const speed = (pairs / (percentile(list, 0.5) / 1000)).toFixed(0);
  console.log(
    `  ${name.padEnd(26)} ${speed.padStart(6)} pairs/s   ${middle} times the loop (quartiles ${low} to ${high})`,
  );
}
const flat = (name) => last[name].flatMap((scores) => [...scores]);
const [mine, other] = [flat("ours, all at once"), flat("loop, our tokens")];
const moved = Math.max(...mine.map((score, index) => Math.abs(score - other[index])));
console.log(`largest difference of a score, ours against the loop with our tokens: ${moved.toExponential(1)}`);
