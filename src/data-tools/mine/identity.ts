// What decides the bytes of a mined file: plain options and digests of everything that is read. Interrupted work goes on only under the same.
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, hashFile, hashText, listFiles } from "../../artifacts/hash.js";
import { dataNotFound } from "../../dataset/findings.js";
import { decidingFiles, graphOf, type ModelFlag, refuseEncoder } from "./model-files.js";
import type { MineOptions } from "./options.js";
import type { Identity } from "./work-folder.js";

/**
 * @param corpus file of the passages.
 * @throws RerankTuneError DATA_NOT_FOUND, MODEL_NOT_FOUND, MODEL_UNSUPPORTED when something named in the options is not there.
 */
export async function identityOf(options: MineOptions, corpus: string): Promise<Identity> {
  const { from, ranks, perQuery, random, maxShare, seed, embedding, run, base, source } = options;
  const { queryPrefix, passagePrefix, pooling } = embedding ?? {};
  const plain = { from, ranks, perQuery, random, maxShare, seed, queryPrefix, passagePrefix, pooling };
  const identity: Identity = {
    options: canonicalJson(plain),
    corpus: await hashFile(corpus),
    "labelled data": await digestOf(await labelledFiles(source)),
  };
  if (run !== undefined) identity.run = await digestOf([required(run, "--run")]);
  if (embedding !== undefined)
    identity["embedding model"] = await digestOf(modelFiles(embedding.folder, "--embedding-model"));
  if (base !== undefined && "scores" in base)
    identity["base scores"] = await digestOf([required(base.scores, "--scores")]);
  if (base !== undefined && "model" in base) {
    await refuseEncoder(base.model);
    identity["base model"] = await digestOf(modelFiles(base.model, "--model"));
  }
  return identity;
}

function modelFiles(folder: string, flag: ModelFlag): string[] {
  return decidingFiles(folder, graphOf(folder, flag));
}

async function digestOf(files: readonly string[]): Promise<string> {
  const digests: string[] = [];
  for (const file of files) digests.push(await hashFile(file));
  return hashText(canonicalJson(digests));
}

function required(file: string, flag: string): string {
  if (existsSync(file)) return file;
  throw dataNotFound(`There is no file ${file}.`, `correct ${flag}`);
}

/** A BEIR folder without its corpus, which counts by itself. */
async function labelledFiles(source: string): Promise<string[]> {
  if (!(await stat(source)).isDirectory()) return [source];
  const names = (await listFiles(source)).filter((name) => /^(queries\.|qrels\/)/.test(name));
  return names.map((name) => join(source, name));
}
