// Rules on a graph's inputs and outputs: what consumers feed, and what they read.
import { ELEMENT_TYPES, FLOAT32, type GraphValue, INT64, type OnnxHeader } from "../../model-folder/onnx-header.js";
import type { FolderFacts, GraphFacts } from "../facts.js";
import { hasPositionOffset } from "../model-facts.js";
import { type Found, ONNX, type OnnxConsumer, type Rule } from "../rule.js";
import { concerned } from "./graph-place.js";

/** Those who feed the graph by themselves; with onnxruntime the caller does. */
const FEEDERS = ONNX.filter((name) => name !== "onnxruntime");

/** One finding for each graph that was read and of which `say` has something to say. */
function eachGraph(
  facts: FolderFacts,
  consumers: readonly OnnxConsumer[],
  say: (header: OnnxHeader, graph: GraphFacts) => Found | undefined,
): Found[] {
  return facts.graphs.flatMap((graph) => {
    const found = graph.header === null ? undefined : say(graph.header, graph);
    if (found === undefined) return [];
    return [{ file: graph.file, ...concerned(facts, graph.file, consumers), ...found }];
  });
}

const names = (values: readonly GraphValue[]): string => values.map(({ name }) => name).join(", ") || "none";

export const positionIds: Rule = {
  id: "onnx_position_ids",
  severity: "error",
  about:
    "TEI feeds position_ids as 0..n-1: silently wrong scores where positions begin behind the padding id; others feed none.",
  source: "TEI backends/ort/src/lib.rs, prepare_inputs (onnx.md §1.1)",
  consumers: FEEDERS,
  check: (facts) =>
    eachGraph(facts, FEEDERS, ({ inputs }, { file }) => {
      if (!inputs.some(({ name }) => name === "position_ids")) return undefined;
      const { consumers } = concerned(facts, file, FEEDERS);
      return {
        message: "wants position_ids",
        fix: "export it with input_ids and attention_mask only",
        // BERT counts from 0, as TEI does.
        ...(hasPositionOffset(facts) ? {} : { consumers: consumers.filter((name) => name !== "tei-ort") }),
      };
    }),
};

const KNOWN_INPUTS = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];

export const unknownInput: Rule = {
  id: "onnx_unknown_input",
  severity: "error",
  about: "An input that nobody feeds stops every run; TEI feeds `input_type` under another name.",
  source: "TEI backends/ort/src/lib.rs, token_type_ids_key; optimum modeling.py (onnx.md §1.1)",
  consumers: FEEDERS,
  check: (facts) =>
    eachGraph(facts, FEEDERS, ({ inputs }) => {
      const unknown = inputs.filter(({ name }) => !KNOWN_INPUTS.includes(name));
      if (unknown.length === 0) return undefined;
      return {
        message: `wants the input ${names(unknown)}`,
        fix: "export it with input_ids, attention_mask and, for BERT, token_type_ids",
      };
    }),
};

export const inputMissing: Rule = {
  id: "onnx_input_missing",
  severity: "error",
  about: "TEI always feeds input_ids and attention_mask, and a graph without one of them refuses the run.",
  source: "TEI backends/ort/src/lib.rs, predict (onnx.md §1.1)",
  consumers: ["tei-ort"],
  check: (facts) =>
    eachGraph(facts, ["tei-ort"], ({ inputs }) => {
      const missing = ["input_ids", "attention_mask"].filter((name) => !inputs.some((input) => input.name === name));
      if (missing.length === 0) return undefined;
      return { message: `has no input ${missing.join(" and ")}`, fix: "export it with both" };
    }),
};

export const inputType: Rule = {
  id: "onnx_input_type",
  severity: "error",
  about: "Consumers feed int64, and ONNX Runtime converts nothing.",
  source:
    "TEI backends/ort/src/lib.rs; transformers.js models/utils.js; Infinity crossencoder/optimum.py (onnx.md §1.1)",
  consumers: FEEDERS,
  check: (facts) =>
    eachGraph(facts, FEEDERS, ({ inputs }) => {
      const other = inputs.find(({ name, type }) => KNOWN_INPUTS.includes(name) && type !== INT64);
      if (other === undefined) return undefined;
      return { message: `wants ${other.name} as ${typeName(other.type)}`, fix: "export it with int64 inputs" };
    }),
};

const typeName = (type: number): string => ELEMENT_TYPES[type] ?? `type ${type}`;

export const fixedShape: Rule = {
  id: "onnx_fixed_shape",
  severity: "error",
  about: "Consumers send batches of any size and length; a graph for one shape takes that shape alone.",
  source: 'TEI batches up to 8 rows on ONNX; ONNX Runtime: "Got invalid dimensions for input" (onnx.md §1.1)',
  consumers: FEEDERS,
  check: (facts) =>
    eachGraph(facts, FEEDERS, ({ inputs }) => {
      const fixed = inputs.find(({ dims }) => dims?.some((dim) => typeof dim === "number"));
      if (fixed === undefined) return undefined;
      return {
        message: `takes ${fixed.name} of shape ${JSON.stringify(fixed.dims)} only`,
        fix: "export it with dynamic axes for batch and sequence",
      };
    }),
};

export const outputName: Rule = {
  id: "onnx_no_logits",
  severity: "error",
  about: "Everyone reads the output `logits`; last_hidden_state is an encoder, exported without its head.",
  source: "TEI backends/ort/src/lib.rs, predict; optimum modeling.py; FlagEmbedding #400, #987 (onnx.md §1.1, §6.9)",
  consumers: ONNX,
  check: (facts) =>
    eachGraph(facts, ONNX, ({ outputs }) => {
      if (outputs.some(({ name }) => name === "logits")) return undefined;
      const encoder = outputs.some(({ name }) => /hidden_state|token_embeddings|sentence_embedding|pooler/.test(name));
      return {
        message: `gives ${names(outputs)}, not logits`,
        fix: encoder
          ? "export the whole *ForSequenceClassification (task text-classification)"
          : "name the output logits",
        ...(encoder ? { takenFor: "embedder" as const } : {}),
      };
    }),
};

export const outputType: Rule = {
  id: "onnx_logits_type",
  severity: "error",
  about: "TEI reads logits as float32 and gives up on anything else; keep float32 at the ends of an fp16 graph.",
  source: "TEI backends/ort/src/lib.rs, try_extract_array::<f32> (onnx.md §1.1)",
  consumers: ["tei-ort"],
  check: (facts) =>
    eachGraph(facts, ["tei-ort"], ({ outputs }) => {
      const logits = outputs.find(({ name }) => name === "logits");
      if (logits === undefined || logits.type === FLOAT32) return undefined;
      return { message: `gives logits as ${typeName(logits.type)}`, fix: "convert it with keep_io_types=True" };
    }),
};

export const outputColumns: Rule = {
  id: "onnx_columns",
  severity: "error",
  about: "A reranker's logits have one column, a number a pair.",
  source: "TEI backends/ort/src/lib.rs, predict; core/src/infer.rs (onnx.md §1.2)",
  consumers: ONNX,
  check: (facts) =>
    eachGraph(facts, ONNX, ({ outputs }) => {
      const dims = outputs.find(({ name }) => name === "logits")?.dims;
      if (dims === undefined || dims.length === 0) return undefined;
      const last = dims.at(-1);
      if (dims.length === 2 && (last === 1 || typeof last !== "number")) return undefined;
      const several = dims.length === 2;
      return {
        message: `gives logits of shape ${JSON.stringify(dims)}`,
        fix: several ? "export a model with one label" : "export it with logits of shape [batch, 1]",
        ...(several ? { takenFor: "classifier" as const } : {}),
      };
    }),
};

export { eachGraph };
