// Ways to break the ONNX graph of a sound folder, or where it lies.
import { encodeOnnx, FLOAT, FLOAT16, type Graph, INT64, soundGraph } from "../../helpers/onnx-writer.js";
import type { Case, Parts } from "./model-files.js";

const ONNX: Case["no"] = ["tei-ort", "sentence-transformers-onnx", "transformers.js", "infinity", "onnxruntime"];
const FEEDERS = ONNX.slice(0, 4);

const graph =
  (change: (graph: Graph) => void): Case["change"] =>
  (parts) =>
    change(parts.graph);
const encoded = (change: (graph: Graph) => void = () => undefined): Buffer => {
  const made = soundGraph();
  change(made);
  return encodeOnnx(made);
};

export const PLACE_CASES: Case[] = [
  {
    title: "no graph",
    change: ({ files }) => {
      files["onnx/model.onnx"] = null;
    },
    rules: ["onnx_missing"],
    no: ONNX,
  },
  {
    title: "a graph at the root only",
    change: ({ files }) => {
      files["onnx/model.onnx"] = null;
      files["model.onnx"] = encoded();
    },
    rules: ["onnx_not_under_its_name"],
    no: ["transformers.js"],
  },
  {
    title: "a quantized graph only",
    change: ({ files }) => {
      files["onnx/model.onnx"] = null;
      files["onnx/model_quantized.onnx"] = encoded();
    },
    rules: ["onnx_not_under_its_name"],
    no: ["tei-ort", "transformers.js"],
  },
  {
    title: "a graph at the root too",
    change: ({ files }) => {
      files["model.onnx"] = encoded();
    },
    rules: ["onnx_at_root_too"],
    no: [],
  },
  {
    title: "a quantized graph, which TEI cannot be told to open",
    change: ({ files }) => {
      files["onnx/model_quantized.onnx"] = encoded();
    },
    rules: ["int8_not_for_tei"],
    no: [],
  },
  {
    title: "two graphs called quantized",
    change: ({ files }) => {
      files["onnx/model_quantized.onnx"] = encoded();
      files["onnx/model_quantized_avx2.onnx"] = encoded();
    },
    rules: ["two_quantized", "int8_not_for_tei"],
    no: [],
  },
  {
    title: "a graph that was cut off",
    change: ({ files }) => {
      files["onnx/model.onnx"] = encoded().subarray(0, -60);
    },
    rules: ["onnx_broken"],
    no: ONNX,
  },
  {
    title: "a web page in place of the graph",
    change: ({ files }) => {
      files["onnx/model.onnx"] = "<html><body>502 Bad Gateway</body></html>";
    },
    rules: ["onnx_broken"],
    no: ONNX,
  },
];

/** The graph with its weight in `location`, which config.json announces; `data` is that file. */
function outside(location: string, change: (parts: Parts) => void = () => undefined): Case["change"] {
  return (parts) => {
    const weight = parts.graph.initializers.find(({ name }) => name === "weight");
    if (weight !== undefined) weight.location = location;
    parts.config["transformers.js_config"] = { use_external_data_format: { "model.onnx": 1 } };
    parts.files[`onnx/${location}`] = Buffer.from(new Float32Array([0.5]).buffer);
    change(parts);
  };
}

export const EXTERNAL_CASES: Case[] = [
  { title: "weights outside, all in order", change: outside("model.onnx_data"), rules: [], no: [] },
  {
    title: "weights outside that are missing",
    change: outside("model.onnx_data", ({ files }) => {
      files["onnx/model.onnx_data"] = null;
    }),
    rules: ["external_data_missing"],
    no: ONNX,
  },
  {
    title: "weights outside under torch's name",
    change: outside("model.onnx.data"),
    rules: ["external_data_name"],
    no: ["transformers.js"],
  },
  {
    title: "weights above the folder",
    change: outside("../model.onnx_data"),
    rules: ["external_data_outside"],
    no: ONNX,
  },
  {
    title: "weights at an absolute path",
    change: (parts) => {
      outside("model.onnx_data")(parts);
      for (const tensor of parts.graph.initializers)
        if (tensor.location !== undefined) tensor.location = "/srv/model.onnx_data";
      parts.files["onnx/model.onnx_data"] = null;
    },
    rules: ["external_data_outside"],
    no: ONNX,
  },
  {
    title: "weights outside that transformers.js is not told of",
    change: outside("model.onnx_data", ({ config }) => delete config["transformers.js_config"]),
    rules: ["external_data_not_announced"],
    no: ["transformers.js"],
    fixable: true,
  },
  {
    title: "a base name as key, with a variant that is one file",
    change: outside("model.onnx_data", ({ config, files }) => {
      config["transformers.js_config"] = { use_external_data_format: { model: 1 } };
      files["onnx/model_fp16.onnx"] = encoded();
    }),
    rules: ["external_data_announced_wrongly"],
    no: [],
    fixable: true,
  },
  {
    title: "weights announced that are not outside",
    change: ({ config }) => {
      config["transformers.js_config"] = { use_external_data_format: true };
    },
    rules: ["external_data_announced_wrongly"],
    no: ["transformers.js"],
    fixable: true,
  },
];

const TOKENS = ["batch_size", "sequence_length"];

export const FORM_CASES: Case[] = [
  {
    title: "an input position_ids, of BERT",
    change: graph(({ inputs }) => void inputs.push({ name: "position_ids", type: INT64, dims: TOKENS })),
    rules: ["onnx_position_ids"],
    no: FEEDERS.slice(1),
  },
  {
    title: "an input position_ids, of RoBERTa",
    change: ({ graph: made, config, tensors }) => {
      made.inputs.push({ name: "position_ids", type: INT64, dims: TOKENS });
      config.model_type = "roberta";
      config.architectures = ["RobertaForSequenceClassification"];
      config.max_position_embeddings = 65;
      tensors["bert.embeddings.position_embeddings.weight"] = { shape: [65, 16] };
      for (const [name, tensor] of Object.entries(tensors)) {
        delete tensors[name];
        tensors[name.replace(/^bert\./, "roberta.")] = tensor;
      }
    },
    rules: ["cuts_beyond_positions", "onnx_position_ids"],
    no: FEEDERS,
  },
  {
    title: "an input that nobody feeds",
    change: graph(({ inputs }) => void inputs.push({ name: "input_type", type: INT64, dims: TOKENS })),
    rules: ["onnx_unknown_input"],
    no: FEEDERS,
  },
  {
    title: "no attention_mask",
    change: graph((made) => {
      made.inputs = made.inputs.slice(0, 1);
      made.nodes[0] = { operator: "Identity", inputs: ["input_ids"], outputs: ["kept"] };
    }),
    rules: ["onnx_input_missing"],
    no: ["tei-ort"],
  },
  {
    title: "inputs of int32",
    change: graph(({ inputs }) => {
      for (const input of inputs) input.type = 6;
    }),
    rules: ["onnx_input_type"],
    no: FEEDERS,
  },
  {
    title: "a batch of one",
    change: graph(({ inputs }) => {
      for (const input of inputs) input.dims = [1, "sequence_length"];
    }),
    rules: ["onnx_fixed_shape"],
    no: FEEDERS,
  },
  {
    title: "an encoder's output",
    change: graph((made) => {
      made.outputs = [{ name: "last_hidden_state", type: FLOAT, dims: [...TOKENS, 16] }];
    }),
    rules: ["onnx_no_logits"],
    no: ONNX,
  },
  {
    title: "logits of float16",
    change: graph(({ nodes, outputs }) => {
      for (const output of outputs) output.type = FLOAT16;
      const last = nodes.at(-1);
      if (last !== undefined) last.outputs = ["score"];
      nodes.push({ operator: "Cast", inputs: ["score"], outputs: ["logits"], attributes: { to: FLOAT16 } });
    }),
    rules: ["onnx_logits_type"],
    no: ["tei-ort"],
  },
  {
    title: "logits of two columns",
    change: graph(({ outputs }) => {
      for (const output of outputs) output.dims = ["batch_size", 2];
    }),
    rules: ["onnx_columns"],
    no: ONNX,
  },
  {
    title: "logits without columns",
    change: graph(({ outputs }) => {
      for (const output of outputs) output.dims = ["batch_size"];
    }),
    rules: ["onnx_columns"],
    no: ONNX,
  },
];

export const VERSION_CASES: Case[] = [
  {
    title: "a format too new for TEI",
    change: graph((made) => {
      made.ir = 11;
    }),
    rules: ["onnx_ir_too_new"],
    no: ["tei-ort"],
  },
  {
    title: "operators newer than were tried",
    change: graph(({ opsets }) => {
      opsets[""] = 21;
    }),
    rules: ["onnx_opset_too_new"],
    no: [],
  },
  {
    title: "operators too new for TEI",
    change: graph(({ opsets }) => {
      opsets[""] = 23;
    }),
    rules: ["onnx_opset_too_new"],
    no: ["tei-ort"],
  },
  {
    title: "operators of com.microsoft",
    change: graph(({ nodes, opsets }) => {
      opsets["com.microsoft"] = 1;
      nodes.push({ operator: "Gelu", domain: "com.microsoft", inputs: ["numbers"], outputs: ["unused"] });
    }),
    rules: ["onnx_contrib_operators"],
    no: [],
  },
  {
    title: "operators that need a library",
    change: graph(({ nodes, opsets }) => {
      opsets["ai.onnx.contrib"] = 1;
      nodes.push({ operator: "BertTokenizer", domain: "ai.onnx.contrib", inputs: ["numbers"], outputs: ["unused"] });
    }),
    rules: ["onnx_foreign_operators"],
    no: ONNX,
  },
  {
    title: "dynamic quantization",
    change: graph(
      ({ nodes }) =>
        void nodes.push({ operator: "DynamicQuantizeLinear", inputs: ["numbers"], outputs: ["a", "b", "c"] }),
    ),
    rules: ["onnx_dynamic_quantization"],
    no: [],
  },
];
