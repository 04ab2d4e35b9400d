// Rules on the weights: there, whole, in a format that runs no code, with a head, and under names that consumers look for.
import { PICKLE } from "../../model-folder/weight-names.js";
import { configOf, type FolderFacts } from "../facts.js";
import { architectures, hasHead, hasTensors, isDecoder, modelType, tensorsOf, wordTable } from "../model-facts.js";
import { graphFiles } from "../opened.js";
import { type Rule, TORCH } from "../rule.js";

export const SAFETENSORS = /^model[^/]*\.safetensors$/;
export const INDEX = "model.safetensors.index.json";
/** Pickles that consumers open when there is nothing better. */
const OPENED_PICKLE = /^pytorch_model(-\d+-of-\d+)?\.bin$/;

export const named = (facts: FolderFacts, pattern: RegExp): string[] =>
  [...facts.files.keys()].filter((path) => !path.includes("/") && pattern.test(path));

const EXPORT = "train or save the model again with safetensors";

export const weightsMissing: Rule = {
  id: "weights_missing",
  severity: "error",
  about: "Whoever runs the model with torch or candle needs model.safetensors; an ONNX graph is nothing to them.",
  source: "TEI backends/candle/src/lib.rs; transformers modeling_utils.py (onnx.md §1.1)",
  consumers: TORCH,
  check: (facts) => {
    if (named(facts, SAFETENSORS).length > 0 || named(facts, PICKLE).length > 0 || facts.files.has(INDEX)) return [];
    const graphs = graphFiles(facts).length > 0;
    return [
      {
        file: "model.safetensors",
        message: graphs ? "is missing: the folder has ONNX graphs only" : "is missing",
        fix: graphs ? "add it, or say for whom the folder is: --for tei-ort" : EXPORT,
      },
    ];
  },
};

export const pickleOnly: Rule = {
  id: "pickle_only",
  severity: "warning",
  about: "A pickle can run code when it is opened; rerank-tune refuses it, and so do scanners and registries.",
  source:
    'Python docs, pickle: "Never unpickle data that could have come from an untrusted source" (packaging.md §5.14)',
  consumers: TORCH,
  check: (facts) => {
    if (named(facts, SAFETENSORS).length > 0 || facts.files.has(INDEX)) return [];
    const pickles = named(facts, PICKLE);
    const [file] = pickles;
    if (file === undefined) return [];
    const opened = pickles.some((path) => OPENED_PICKLE.test(path));
    return [
      {
        file,
        message: opened
          ? "holds the weights as a pickle, and there is no safetensors"
          : "is a pickle that no consumer opens, and there is no safetensors",
        fix: "convert it in Python: `AutoModelForSequenceClassification.from_pretrained(FOLDER).save_pretrained(NEW)`",
        ...(opened ? {} : { severity: "error" }),
      },
    ];
  },
};

export const pickleBeside: Rule = {
  id: "pickle_beside",
  severity: "note",
  about: "A pickle beside the safetensors is opened by nobody, doubles the download and alarms scanners.",
  source: "Hub pickle scanning (hub-docs, security-pickle.md; packaging.md §5.14)",
  consumers: [],
  check: (facts) => {
    const [file] = named(facts, PICKLE);
    if (file === undefined || (named(facts, SAFETENSORS).length === 0 && !facts.files.has(INDEX))) return [];
    return [{ file, message: "is a pickle that nobody needs here", fix: "remove it" }];
  },
};

export const weightsBroken: Rule = {
  id: "weights_broken",
  severity: "error",
  about: "A file that was cut off while it was copied is found here, not when a server starts.",
  source: 'safetensors README, "Format"',
  consumers: TORCH,
  check: (facts) =>
    facts.weights.flatMap(({ file, problem }) =>
      problem === null ? [] : [{ file, message: problem, fix: "copy or fetch it again, and compare its sha256" }],
    ),
};

export const headMissing: Rule = {
  id: "head_missing",
  severity: "error",
  about: "Weights without `classifier.*` are an encoder: transformers adds a random head with no more than a warning.",
  source: "transformers modeling_roberta.py, modeling_bert.py; FlagEmbedding #400, #987 (onnx.md §6.9)",
  consumers: TORCH,
  check: (facts) => {
    const claims = architectures(facts).some((name) => name.endsWith("ForSequenceClassification"));
    if (!claims || !hasTensors(facts) || hasHead(facts)) return [];
    return [
      {
        file: facts.weights[0]?.file ?? "model.safetensors",
        message: "has no head: no tensor is called classifier.* or score.*",
        fix: "save the whole *ForSequenceClassification, not its encoder",
        takenFor: "embedder",
      },
    ];
  },
};

/** What candle tries before `embeddings.` (models/bert.rs, load and load_roberta; distilbert.rs, debertav2.rs, modernbert.rs). */
const PREFIXES: Record<string, readonly string[]> = {
  bert: ["", "bert."],
  roberta: ["", "roberta.", "xlm-roberta.", "camembert."],
  "xlm-roberta": ["", "roberta.", "xlm-roberta.", "camembert."],
  camembert: ["", "roberta.", "xlm-roberta.", "camembert."],
  distilbert: ["", "distilbert."],
  "deberta-v2": ["", "deberta."],
  modernbert: ["", "model."],
};

export const prefixUnknown: Rule = {
  id: "weight_prefix_unknown",
  severity: "error",
  about: "Tensors under another prefix are not found; transformers then goes on with random weights.",
  source: "TEI backends/candle/src/models/bert.rs, load_roberta (onnx.md §1.1); transformers from_pretrained",
  consumers: TORCH,
  check: (facts) => {
    const known = PREFIXES[modelType(facts)];
    const table = wordTable(facts)?.name;
    if (known === undefined || table === undefined || isDecoder(facts)) return [];
    const prefix = table.replace(/(embeddings\.)?(word_embeddings|tok_embeddings|embed_tokens)\.weight$/, "");
    if (known.includes(prefix)) return [];
    return [
      {
        file: facts.weights[0]?.file ?? "model.safetensors",
        message: `has its tensors under "${prefix}", not "${known.at(1)}"`,
        fix: "save the model again from the class that config.json names, unwrapped",
      },
    ];
  },
};

export const weightsType: Rule = {
  id: "weights_type",
  severity: "note",
  about: "TEI's CPU image computes in float32 and its GPU image in float16, whatever the weights are.",
  source: "TEI router/src/lib.rs, dtype; sentence-transformers loads what config.json says (onnx.md §1.1, §3)",
  consumers: TORCH,
  check: (facts) => {
    const types = [...new Set([...tensorsOf(facts).values()].map(({ dtype }) => dtype))].filter((type) =>
      /^(BF16|F16)$/.test(type),
    );
    if (types.length === 0) return [];
    const { dtype, torch_dtype: older } = configOf(facts);
    const said = dtype ?? older;
    return [
      {
        file: facts.weights[0]?.file ?? "model.safetensors",
        message: `holds ${types.join(" and ")}${said === undefined ? "" : ` (config.json: ${said})`}`,
        fix: "expect scores that differ in the third digit between float32 and half precision",
      },
    ];
  },
};
