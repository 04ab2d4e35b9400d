// Where a model folder names code of its own: transformers' auto_map and sentence-transformers' modules. Pure.
import { isObject, type JsonObject } from "../artifacts/json-value.js";
import type { Problem } from "../errors.js";

/** The small files that can name code; undefined where there is none. */
export interface CodeFiles {
  config?: JsonObject;
  tokenizerConfig?: JsonObject;
  modules?: unknown;
}

/** @param hint the way out, for each of them. */
export function codeProblems({ config = {}, tokenizerConfig = {}, modules }: CodeFiles, hint: string): Problem[] {
  const maps = [
    { file: "config.json", map: config.auto_map },
    { file: "tokenizer_config.json", map: tokenizerConfig.auto_map },
  ];
  const problems = maps
    .filter(({ map }) => isObject(map) && Object.keys(map).length > 0)
    .map(({ file, map }) => ({
      file,
      path: "auto_map",
      message: `names code of its own (${Object.keys(map as JsonObject).join(", ")}), which rerank-tune never runs`,
      hint,
    }));
  const foreign = Array.isArray(modules)
    ? modules.map(moduleType).find((type) => !type.startsWith("sentence_transformers."))
    : undefined;
  if (foreign !== undefined)
    problems.push({
      file: "modules.json",
      path: "type",
      message: `names code of its own (${foreign}), which rerank-tune never runs`,
      hint,
    });
  return problems;
}

const moduleType = (module: unknown): string => (isObject(module) ? String(module.type) : "nothing");
