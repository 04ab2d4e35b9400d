// Rules on where graphs lie and what they are called: each consumer has its own names.
import { configOf, type FolderFacts } from "../facts.js";
import { graphFiles, openedGraph, openersOf } from "../opened.js";
import { ONNX, type OnnxConsumer, type Rule } from "../rule.js";

export const graphMissing: Rule = {
  id: "onnx_missing",
  severity: "error",
  about: "Five of the consumers run an ONNX graph, and sentence-transformers' own export has no solution at version 6.",
  source: "optimum-onnx #114, #141 (onnx.md §1.1, §5)",
  consumers: ONNX,
  check: (facts) =>
    graphFiles(facts).length > 0
      ? []
      : [
          {
            file: "onnx/model.onnx",
            message: "is missing, and there is no other graph",
            fix: "export it with the head, such as with `rerank-tune run RECIPE`, or say for whom the folder is: --for sentence-transformers",
          },
        ],
};

export const graphElsewhere: Rule = {
  id: "onnx_not_under_its_name",
  severity: "error",
  about: "TEI and transformers.js open onnx/model.onnx by this very name and have no flag for another.",
  source: "TEI backends/ort/src/lib.rs; TEI #757, PR #891; transformers.js model-loader.js (onnx.md §1.1)",
  consumers: ["tei-ort", "sentence-transformers-onnx", "transformers.js"],
  check: (facts) => {
    const files = graphFiles(facts);
    const without = (["tei-ort", "sentence-transformers-onnx", "transformers.js"] as const).filter(
      (consumer) => openedGraph(facts, consumer) === undefined,
    );
    const [file] = files;
    if (file === undefined || without.length === 0) return [];
    return [
      {
        file,
        message: `is the graph, and there is no ${without.includes("tei-ort") ? "model.onnx" : "onnx/model.onnx"}`,
        fix: "name it onnx/model.onnx",
        consumers: without,
      },
    ];
  },
};

export const rootGraph: Rule = {
  id: "onnx_at_root_too",
  severity: "warning",
  about: "A model.onnx at the root wins over onnx/model.onnx in TEI, and optimum warns of two.",
  source: "TEI backends/ort/src/lib.rs (onnx.md §1.2 b)",
  consumers: ["tei-ort", "sentence-transformers-onnx"],
  check: (facts) =>
    facts.files.has("model.onnx") && facts.files.has("onnx/model.onnx")
      ? [{ file: "model.onnx", message: "lies beside onnx/model.onnx, and TEI opens this one", fix: "remove it" }]
      : [],
};

export const int8Unreachable: Rule = {
  id: "int8_not_for_tei",
  severity: "note",
  about: "TEI has no flag for model_quantized.onnx: int8 wants a folder or revision whose onnx/model.onnx it is.",
  source: "TEI #757, PR #891 (onnx.md §1.1, §6.7)",
  consumers: ["tei-ort"],
  check: (facts) => {
    const file = graphFiles(facts).find((path) => /(quantized|int8)[^/]*\.onnx$/.test(path));
    if (file === undefined || openedGraph(facts, "tei-ort") === undefined) return [];
    return [
      {
        file,
        message: "is not what TEI opens",
        fix: "serve it from a folder or revision of its own (rerank-tune packages it as tei-int8)",
      },
    ];
  },
};

export const twoQuantized: Rule = {
  id: "two_quantized",
  severity: "warning",
  about: "Infinity on a CPU takes the last file whose name contains `quantize`, in the order that the disk lists them.",
  source: "Infinity utils_optimum.py, get_onnx_files (onnx.md §1.1)",
  consumers: ["infinity"],
  check: (facts) => {
    const files = graphFiles(facts).filter((path) => path.split("/").at(-1)?.includes("quantize"));
    if (files.length < 2) return [];
    return [
      {
        file: files.at(-1) as string,
        message: `is one of ${files.length} graphs with \`quantize\` in their names`,
        fix: "keep one under such a name",
      },
    ];
  },
};

export const graphTooLarge: Rule = {
  id: "onnx_over_2_gb",
  severity: "error",
  about: "protobuf ends at 2 GB: a larger graph cannot be parsed and needs its weights outside.",
  source: "protobuf's limit of 2 GiB; ORT #7017 (onnx.md §1.2, §6.10)",
  consumers: ONNX,
  check: (facts) =>
    graphFiles(facts)
      .filter((path) => (facts.files.get(path)?.size ?? 0) >= 2 ** 31)
      .map((file) => ({
        file,
        message: "is larger than 2 GB",
        fix: `move the weights into ${file}_data`,
        ...concerned(facts, file, ONNX),
      })),
};

export const graphBroken: Rule = {
  id: "onnx_broken",
  severity: "error",
  about: "A graph that was cut off while it was copied is found here, not when a server starts.",
  source: "onnx.proto3",
  consumers: ONNX,
  check: (facts) =>
    facts.graphs.flatMap(({ file, problem }) =>
      problem === null
        ? []
        : [
            {
              file,
              message: `is no whole ONNX file: ${problem}`,
              fix: "copy or fetch it again, and compare its sha256",
              ...concerned(facts, file, ONNX),
            },
          ],
    ),
};

export const graphUnread: Rule = {
  id: "onnx_not_read",
  severity: "warning",
  about: "A graph on the Hub is read by parts; where the server gives none, nobody can say more.",
  source: "RFC 9110 §14, range requests",
  consumers: ONNX,
  check: (facts) =>
    facts.graphs
      .filter(({ file, unread }) => unread && openersOf(facts, file).length > 0)
      .map(({ file }) => ({
        file,
        message: "was not read",
        fix: "fetch the folder and lint it here",
        unread: true,
        consumers: openersOf(facts, file),
      })),
};

export const weightsUnread: Rule = {
  id: "weights_not_read",
  severity: "note",
  about: "Weights on the Hub are read by parts; where the server gives none, head and shapes stay unchecked.",
  source: "RFC 9110 §14, range requests",
  consumers: [],
  check: (facts) =>
    facts.weights
      .filter(({ unread }) => unread)
      .map(({ file }) => ({ file, message: "was not read", fix: "fetch the folder and lint it here" })),
};

/**
 * Whom a fault of one graph stops: those of `names` who open it untold. A graph that none of them opens is a warning, because
 * someone may name it.
 */
export function concerned(facts: FolderFacts, file: string, names: readonly OnnxConsumer[]) {
  const openers = openersOf(facts, file).filter((name) => names.includes(name));
  return openers.length > 0 ? { consumers: openers } : { consumers: names, severity: "warning" as const };
}

/** transformers.js_config of config.json. */
export const browserSettings = (facts: FolderFacts): unknown => configOf(facts)["transformers.js_config"];
