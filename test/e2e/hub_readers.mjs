// Reads one version as Node's readers of the Hub do; prints {route: {files, scores, ids}, seen}; ids are those of transformers.js. run: node hub_readers.mjs JOB.json
// JOB: {endpoint, cache, id, revision, folders: {local, name}, snapshot, pairs}
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { downloadFile, fileDownloadInfo, listFiles, listModels, modelInfo, snapshotDownload } from "@huggingface/hub";
import { AutoModelForSequenceClassification, AutoTokenizer, env } from "@huggingface/transformers";

const job = JSON.parse(await readFile(process.argv[2], "utf8"));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const hub = { repo: job.id, hubUrl: job.endpoint };

/** @param options revision, where there is one */
async function scored(id, options = {}) {
  const tokenizer = await AutoTokenizer.from_pretrained(id, options);
  const encoded = job.pairs.map(([query, passage]) =>
    tokenizer(query, { text_pair: passage, truncation: true, return_token_type_ids: true }),
  );
  const found = {};
  for (const dtype of ["fp32", "q8", "fp16"]) {
    const model = await AutoModelForSequenceClassification.from_pretrained(id, { ...options, dtype, device: "cpu" });
    found[dtype] = [];
    for (const inputs of encoded) found[dtype].push((await model(inputs)).logits.data[0]);
    await model.dispose();
  }
  return { scores: found, ids: encoded.map(({ input_ids }) => [...input_ids.data].map(Number)) };
}

async function filesBelow(folder) {
  const found = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isDirectory()) found[path.slice(folder.length + 1)] = sha256(await readFile(path));
  }
  return found;
}

async function downloaded() {
  const files = {};
  for await (const { type, path, lfs } of listFiles({ ...hub, recursive: true })) {
    if (type !== "file") continue;
    const bytes = Buffer.from(await (await downloadFile({ ...hub, path, revision: job.revision })).arrayBuffer());
    if (lfs.size !== bytes.length) throw new Error(`${path} has ${bytes.length} bytes, not ${lfs.size}`);
    files[path] = sha256(bytes);
  }
  return files;
}

const models = [];
for await (const { name } of listModels({ hubUrl: job.endpoint })) models.push(name);
const seen = {
  models,
  sha: (await modelInfo({ name: job.id, hubUrl: job.endpoint, additionalFields: ["sha"] })).sha,
  missing: await fileDownloadInfo({ ...hub, path: "nope" }),
  size: (await fileDownloadInfo({ ...hub, path: "onnx/model.onnx" })).size,
};
const snapshot = await snapshotDownload({ ...hub, cacheDir: job.cache });

env.remoteHost = job.endpoint;
env.allowLocalModels = false;
env.cacheDir = join(job.cache, "transformers");
const served = await scored(job.id, { revision: job.revision });
env.allowLocalModels = true;
env.allowRemoteModels = false;
env.localModelPath = job.folders.local;
const found = {
  seen,
  serve: { files: await downloaded(), snapshot: await filesBelow(snapshot), ...served },
  folders: await scored(job.folders.name),
  hub: await scored(job.snapshot),
};
console.log(JSON.stringify(found));
