// How each consumer opens a published folder, for the card. Pure; test/e2e runs the same calls.
export interface SnippetInput {
  name: string;
  maxLength: number;
  variants: readonly string[];
  /** Whether the graph takes `token_type_ids`. */
  tokenTypes: boolean;
}

const DTYPES: Record<string, string> = { fp32: "fp32", fp16: "fp16", int8: "q8" };
const GRAPHS: Record<string, string> = { fp32: "model.onnx", fp16: "model_fp16.onnx", int8: "model_quantized.onnx" };

/** Markdown with one fenced block a consumer. `int8` is named only where it is in the folder. */
export function snippets(input: SnippetInput): string {
  return [
    whereItIs(input.name),
    pulling(input.name),
    textEmbeddingsInference(input),
    sentenceTransformers(input),
    transformersJs(input),
    onnxruntimeNode(input),
  ].join("\n\n");
}

/** Markdown, for the folder that holds the int8 graph for TEI alone. */
export function teiSnippets(name: string): string {
  const start = block("Text Embeddings Inference", "sh", `text-embeddings-router --model-id ./${name}`);
  return [whereItIs(name), pulling(name), start].join("\n\n");
}

/** The card cannot know where it will be released: that comes after it. */
const whereItIs = (name: string): string =>
  `\`./${name}\` is the folder that the first command writes. Read from a Hub, write the name of the repository in its place, and the whole commit as the revision: a branch or tag can move.`;

const pulling = (name: string): string =>
  block("Fetch the folder, every byte checked", "sh", `rerank-tune registry pull ${name} ./${name}`);

function textEmbeddingsInference({ name, variants }: SnippetInput): string {
  const fp32 = `text-embeddings-router --model-id ./${name}`;
  const int8 = `# int8: TEI opens onnx/model.onnx only, so the int8 graph has a folder of its own\nrerank-tune registry pull ${name}-int8 ./${name}-int8\ntext-embeddings-router --model-id ./${name}-int8`;
  return block("Text Embeddings Inference", "sh", variants.includes("int8") ? `${fp32}\n${int8}` : fp32);
}

function sentenceTransformers({ name }: SnippetInput): string {
  return block(
    "sentence-transformers",
    "python",
    [
      `from sentence_transformers import CrossEncoder`,
      ``,
      `model = CrossEncoder("./${name}")`,
      `scores = model.predict([("query", "passage one"), ("query", "passage two")])  # sigmoid applied`,
    ].join("\n"),
  );
}

function transformersJs({ name, variants }: SnippetInput): string {
  const dtypes = variants.map((variant) => `"${DTYPES[variant]}"`).join(", ");
  return block(
    "transformers.js",
    "js",
    [
      `import { AutoModelForSequenceClassification, AutoTokenizer, env } from "@huggingface/transformers";`,
      ``,
      `env.localModelPath = "./";`,
      `const tokenizer = await AutoTokenizer.from_pretrained("${name}");`,
      `const model = await AutoModelForSequenceClassification.from_pretrained("${name}", { dtype: "fp32" }); // here: ${dtypes}`,
      `const { logits } = await model(tokenizer("query", { text_pair: "passage" }));`,
      `const [score] = logits.sigmoid().data; // pipeline("text-classification") would apply softmax and always give 1`,
    ].join("\n"),
  );
}

function onnxruntimeNode({ name, variants, maxLength, tokenTypes }: SnippetInput): string {
  const graph = GRAPHS[variants.includes("int8") ? "int8" : "fp32"];
  return block(
    "onnxruntime-node",
    "js",
    [
      `import { readFile } from "node:fs/promises";`,
      `import { Tokenizer } from "@huggingface/tokenizers";`,
      `import { InferenceSession, Tensor } from "onnxruntime-node";`,
      ``,
      `const json = async (file) => JSON.parse(await readFile(\`./${name}/\${file}\`, "utf8"));`,
      `const tokenizer = new Tokenizer(await json("tokenizer.json"), await json("tokenizer_config.json"));`,
      `const session = await InferenceSession.create("./${name}/onnx/${graph}");`,
      `const { ids, attention_mask${tokenTypes ? ", token_type_ids" : ""} } = tokenizer.encode("query", { text_pair: "passage"${tokenTypes ? ", return_token_type_ids: true" : ""} }); // at most ${maxLength} tokens: cut longer pairs first`,
      `const row = (values) => new Tensor("int64", BigInt64Array.from(values, BigInt), [1, values.length]);`,
      `const { logits } = await session.run({ input_ids: row(ids), attention_mask: row(attention_mask)${tokenTypes ? ", token_type_ids: row(token_type_ids)" : ""} });`,
      `const score = 1 / (1 + Math.exp(-logits.data[0]));`,
    ].join("\n"),
  );
}

function block(title: string, language: string, code: string): string {
  return `**${title}**\n\n\`\`\`${language}\n${code}\n\`\`\``;
}
