// A model folder with a real small tokenizer and a table whose row r is r, r + 0.25, r + 0.5: what a trimming keeps can be read off.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TokenizerJson } from "../../src/tokenization/exact-tokenizer.js";

const { kinds } = JSON.parse(await readFile(new URL("../fixtures/tokenizers.json", import.meta.url), "utf8")) as {
  kinds: { kind: string; tokenizer: TokenizerJson }[];
};
/** `xlm-roberta`, `bert`, `roberta` or `modernbert`. */
export const tokenizerOf = (kind: string) => kinds.find((item) => item.kind === kind)?.tokenizer as TokenizerJson;

/** Columns and rows of the table; the tokenizers have fewer pieces. */
export const WIDTH = 3;
export const ROWS = 700;
export const TABLE = "roberta.embeddings.word_embeddings.weight";

type Tensor = [name: string, shape: number[], values: Float32Array];

/** The table between two small tensors. */
const TENSORS: Tensor[] = [
  ["classifier.weight", [1, WIDTH], Float32Array.of(7, 8, 9)],
  [
    TABLE,
    [ROWS, WIDTH],
    Float32Array.from({ length: ROWS * WIDTH }, (_, index) => Math.floor(index / WIDTH) + (index % WIDTH) / 4),
  ],
  ["roberta.embeddings.position_embeddings.weight", [2, WIDTH], Float32Array.of(1, 2, 3, 4, 5, 6)],
];

function safetensors(tensors: readonly Tensor[]): Buffer {
  let end = 0;
  const header = Object.fromEntries(
    tensors.map(([name, shape, { byteLength }]) => {
      end += byteLength;
      return [name, { dtype: "F32", shape, data_offsets: [end - byteLength, end] }];
    }),
  );
  const text = Buffer.from(JSON.stringify({ __metadata__: { format: "pt" }, ...header }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...tensors.map(([, , { buffer }]) => Buffer.from(buffer as ArrayBuffer))]);
}

export async function readWeights(path: string): Promise<Record<string, { shape: number[]; values: number[] }>> {
  const bytes = await readFile(path);
  const length = Number(bytes.readBigUInt64LE());
  const { __metadata__: _, ...header } = JSON.parse(bytes.subarray(8, 8 + length).toString());
  const entries = Object.entries(header as Record<string, { shape: number[]; data_offsets: [number, number] }>);
  return Object.fromEntries(
    entries.map(([name, { shape, data_offsets: offsets }]) => {
      const data = bytes.subarray(8 + length + offsets[0], 8 + length + offsets[1]);
      return [name, { shape, values: Array.from({ length: data.length / 4 }, (_, at) => data.readFloatLE(4 * at)) }];
    }),
  );
}

export async function writeTrimmableModel(folder: string, tokenizer: unknown, config: object = {}): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(tokenizer));
  await writeFile(
    join(folder, "config.json"),
    JSON.stringify({ vocab_size: ROWS, pad_token_id: 1, layer_norm_eps: 1e-5, ...config }),
  );
  await writeFile(join(folder, "model.safetensors"), safetensors(TENSORS));
  await writeFile(join(folder, "sentencepiece.bpe.model"), "old");
}

export const SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"] as const;

/** The same weights as two files and an index, as transformers 5 saves them; to be written in the place of the single file. */
export async function writeShards(folder: string): Promise<void> {
  const parts = [TENSORS.slice(0, 1), TENSORS.slice(1)];
  const map = parts.flatMap((part, index) => part.map(([name]) => [name, SHARDS[index]] as const));
  for (const [index, part] of parts.entries())
    await writeFile(join(folder, SHARDS[index] as string), safetensors(part));
  const parameters = WIDTH + ROWS * WIDTH + 2 * WIDTH;
  const metadata = { total_parameters: parameters, total_size: 4 * parameters };
  await writeFile(
    join(folder, "model.safetensors.index.json"),
    JSON.stringify({ metadata, weight_map: Object.fromEntries(map) }),
  );
}
