// Scores the pairs of a JSON file with @huggingface/transformers; prints {dtype: [logit, ...]}. run: node consumer.mjs FOLDER PAIRS.json
import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { AutoModelForSequenceClassification, AutoTokenizer, env } from "@huggingface/transformers";

const [folder, pairsFile] = process.argv.slice(2);
const pairs = JSON.parse(await readFile(pairsFile, "utf8"));
env.allowRemoteModels = false;
env.localModelPath = dirname(folder);
const tokenizer = await AutoTokenizer.from_pretrained(basename(folder));
const found = {};
for (const dtype of ["fp32", "fp16", "q8"]) {
  const model = await AutoModelForSequenceClassification.from_pretrained(basename(folder), { dtype, device: "cpu" });
  found[dtype] = [];
  for (const [query, passage] of pairs) {
    const { logits } = await model(tokenizer(query, { text_pair: passage }));
    found[dtype].push(logits.data[0]);
  }
}
console.log(JSON.stringify(found));
