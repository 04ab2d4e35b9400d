// Rules on what a graph asks of its runtime: format and operator versions, operators of others, and quantization that depends on its batch.
import { ONNX, type Rule } from "../rule.js";
import { eachGraph } from "./graph-form.js";

/** ONNX Runtime 1.22, which TEI embeds, reads no newer format (ORT #23770). */
const NEWEST_IR = 10;
/** What all of the runtimes were tried with, and the newest operators of ONNX 1.17, which is in ONNX Runtime 1.22. */
const TRIED_OPSET = 20;
const NEWEST_OPSET = 22;

export const irTooNew: Rule = {
  id: "onnx_ir_too_new",
  severity: "error",
  about: "A format newer than the runtime is refused: TEI's ONNX Runtime 1.22 ends at IR 10.",
  source: 'ORT #23770: "max supported IR version: 10"; TEI Cargo.lock, ort 2.0.0-rc.10 (onnx.md §1.2)',
  consumers: ["tei-ort"],
  check: (facts) =>
    eachGraph(facts, ["tei-ort"], ({ ir }) =>
      ir <= NEWEST_IR
        ? undefined
        : {
            message: `has IR ${ir}`,
            fix: `set ir_version to ${NEWEST_IR} before saving, in Python: model.ir_version = ${NEWEST_IR}`,
          },
    ),
};

export const opsetTooNew: Rule = {
  id: "onnx_opset_too_new",
  severity: "error",
  about:
    "Operators newer than the runtime are refused: TEI's ONNX Runtime 1.22 ends at opset 22, and 20 is what was tried everywhere.",
  source: "ONNX Runtime docs, Versioning.md; TEI Cargo.lock, ort 2.0.0-rc.10 (onnx.md §1.2)",
  consumers: ["tei-ort"],
  check: (facts) =>
    eachGraph(facts, ["tei-ort"], ({ opsets }) => {
      const version = opsets[""] ?? 0;
      if (version <= TRIED_OPSET) return undefined;
      return {
        message: `has opset ${version}`,
        fix: "export it with opset 17 to 20",
        ...(version <= NEWEST_OPSET ? { severity: "warning" as const } : {}),
      };
    }),
};

/** Domains whose operators are built into every ONNX Runtime. */
const BUILT_IN = ["", "ai.onnx.ml", "com.microsoft"];

export const foreignOperators: Rule = {
  id: "onnx_foreign_operators",
  severity: "error",
  about: "Operators of other domains need a library that no consumer loads.",
  source: "ONNX Runtime docs, custom operators",
  consumers: ONNX,
  check: (facts) =>
    eachGraph(facts, ONNX, ({ operators }) => {
      const foreign = Object.keys(operators).filter(
        (name) => name.includes(":") && !BUILT_IN.includes(name.split(":")[0] ?? ""),
      );
      if (foreign.length === 0) return undefined;
      return { message: `uses ${foreign.slice(0, 3).join(", ")}`, fix: "export it with ONNX's own operators" };
    }),
};

/** First ONNX Runtime with the operator in the form that quantizers write it now. */
const SINCE: Record<string, string> = {
  MatMulNBits: "1.22 for 8 bits",
  GroupQueryAttention: "1.17",
  SkipLayerNormalization: "1.0",
};

export const contribOperators: Rule = {
  id: "onnx_contrib_operators",
  severity: "note",
  about: "com.microsoft operators run in ONNX Runtime alone, not in other engines for ONNX.",
  source: "ONNX Runtime docs, ContribOperators.md (onnx.md §3.3, §4)",
  consumers: [],
  check: (facts) =>
    facts.graphs.flatMap(({ file, header }) => {
      const names = Object.keys(header?.operators ?? {}).flatMap(
        (name) => /^com\.microsoft:(.*)/.exec(name)?.[1] ?? [],
      );
      if (names.length === 0) return [];
      const since = names.flatMap((name) => (SINCE[name] === undefined ? [] : `${name} since ${SINCE[name]}`));
      return [
        {
          file,
          message: `uses ${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""} of com.microsoft`,
          fix: `run it with ONNX Runtime${since.length > 0 ? ` (${since.join(", ")})` : ""}`,
        },
      ];
    }),
};

export const dynamicQuantization: Rule = {
  id: "onnx_dynamic_quantization",
  severity: "warning",
  about:
    "Dynamic int8 takes one scale over the whole batch: a pair's score depends on its batch mates and their padding.",
  source: "ORT #10111, #8625; fastembed-rs #107; measured: up to 1.4 standard deviations (onnx.md §3.3, §6.2)",
  consumers: ONNX,
  check: (facts) =>
    facts.graphs.flatMap(({ file, header }) => {
      const count = Object.entries(header?.operators ?? {})
        .filter(([name]) => /(^|:)(DynamicQuantizeLinear|DynamicQuantizeMatMul|DynamicQuantizeLSTM)$/.test(name))
        .reduce((sum, [, number]) => sum + number, 0);
      if (count === 0) return [];
      return [
        {
          file,
          message: `is quantized dynamically (${count} places)`,
          fix: "quantize it statically, or by block (MatMulNBits), as `rerank-tune quantize RECIPE` does",
        },
      ];
    }),
};
