// What the findings mean for each consumer: whether it loads the folder as a reranker, which file it opens, and with what limits. Pure.
import { FLOAT16 } from "../model-folder/onnx-header.js";
import { configOf, type FolderFacts } from "./facts.js";
import { tensorsOf } from "./model-facts.js";
import { isOnnxConsumer, lengthLimit, openedGraph } from "./opened.js";
import { CONSUMERS, type ConsumerName, type FullFinding, type TakenFor } from "./rule.js";

export interface About {
  /** What it is and where it runs. */
  title: string;
  /** Version whose source the rules were read from. */
  version: string;
  /** Most pairs of one run, where it sets a bound of its own. */
  batch: number | null;
}

export const ABOUT: Record<ConsumerName, About> = {
  "tei-ort": { title: "TEI, CPU image (ONNX)", version: "1.9.3 (0d124dc), ONNX Runtime 1.22", batch: 8 },
  "tei-candle": { title: "TEI, GPU image (safetensors)", version: "1.9.3 (0d124dc)", batch: null },
  "sentence-transformers": { title: "sentence-transformers CrossEncoder (torch)", version: "6.0.1", batch: null },
  "sentence-transformers-onnx": {
    title: "CrossEncoder with backend onnx, by file_name",
    version: "6.0.1, optimum-onnx 0.1.0",
    batch: null,
  },
  "transformers.js": { title: "transformers.js AutoModelForSequenceClassification", version: "4.3.1", batch: null },
  infinity: { title: "Infinity, engine optimum, on a CPU", version: "0.0.77", batch: null },
  onnxruntime: { title: "onnxruntime in Node or Python, by path", version: "1.22 to 1.30", batch: null },
  vllm: { title: "vLLM, /rerank and /score", version: "commit 0002bff, registry and length rules", batch: null },
};

export interface Limits {
  /** Tokens of a pair that it lets through by default; null when it cuts nothing or nobody can tell. */
  max_input_tokens: number | null;
  /** Element type that it computes in. */
  dtype: string | null;
  /** File that it opens when it is told nothing. */
  opens: string | null;
  max_batch: number | null;
}

export interface Verdict {
  name: ConsumerName;
  title: string;
  loads: "yes" | "no" | "unknown";
  /** What it takes the folder for; null when it does not open it. */
  as: "reranker" | TakenFor | null;
  limits: Limits;
  /** Ids of the findings that decide or spoil it, errors first. */
  reasons: string[];
}

/** @param findings of all rules, in the order of the report. */
export function verdicts(facts: FolderFacts, findings: readonly FullFinding[]): Verdict[] {
  return CONSUMERS.map((name) => {
    const concerning = findings.filter(({ consumers, severity }) => consumers.includes(name) && severity !== "note");
    const errors = concerning.filter(({ severity }) => severity === "error");
    const loads = errors.length > 0 ? "no" : concerning.some(({ unread }) => unread) ? "unknown" : "yes";
    const takenFor = errors.map((finding) => finding.takenFor).find((kind) => kind !== null) ?? null;
    const ordered = [...errors, ...concerning.filter(({ severity }) => severity !== "error")];
    return {
      name,
      title: ABOUT[name].title,
      loads,
      as: loads === "no" ? takenFor : "reranker",
      limits: limitsOf(facts, name),
      reasons: [...new Set(ordered.map(({ rule }) => rule))],
    };
  });
}

function limitsOf(facts: FolderFacts, name: ConsumerName): Limits {
  const opens = isOnnxConsumer(name) ? openedGraph(facts, name) : openedWeights(facts);
  return {
    max_input_tokens: lengthLimit(facts, name) ?? null,
    dtype: dtypeOf(facts, name, opens),
    opens: opens ?? null,
    max_batch: ABOUT[name].batch,
  };
}

function openedWeights(facts: FolderFacts): string | undefined {
  const names = ["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"];
  return names.find((name) => facts.files.has(name));
}

/** TEI's GPU image computes in float16 (router/src/lib.rs); vLLM in half precision (config/model.py, dtype auto); torch in what it is told. */
function dtypeOf(facts: FolderFacts, name: ConsumerName, opens: string | undefined): string | null {
  if (opens === undefined) return null;
  if (isOnnxConsumer(name)) return graphType(facts, opens);
  if (name === "tei-candle") return "float16";
  const { dtype, torch_dtype: older } = configOf(facts);
  const said = dtype ?? older;
  const [stored] = new Set([...tensorsOf(facts).values()].map((tensor) => tensor.dtype));
  const kept = typeof said === "string" ? said : (STORED[stored ?? ""] ?? null);
  return name === "vllm" && kept === "float32" ? "float16" : kept;
}

const STORED: Record<string, string> = { F32: "float32", F16: "float16", BF16: "bfloat16" };

/** Operators that multiply quantized weights, or unpack them. */
const QUANTIZED = /(MatMulInteger|QuantizeLinear|QLinear|MatMulNBits|QAttention|QGemm)/;

/** What the graph computes in, as far as its operators and weights tell; null when it was not read. */
function graphType(facts: FolderFacts, file: string): string | null {
  const header = facts.graphs.find((graph) => graph.file === file)?.header;
  if (header === undefined || header === null) return null;
  if (Object.keys(header.operators).some((name) => QUANTIZED.test(name))) return "int8";
  return (header.weightTypes[FLOAT16] ?? 0) > 0 ? "float16" : "float32";
}
