// Rules on weights outside their graph: there, beside it, under the name that everyone looks for, and announced to transformers.js.
import { dirname } from "node:path/posix";
import { isObject } from "../../artifacts/json-value.js";
import { leavesFolder } from "../../model-folder/graph-check.js";
import { literal } from "../../tokenization/literal.js";
import { setMembers, withEdit } from "../edit.js";
import type { FolderFacts, GraphFacts } from "../facts.js";
import { chunksFor, graphFiles } from "../opened.js";
import { ONNX, type Rule } from "../rule.js";
import { browserSettings, concerned } from "./graph-place.js";

/** Each file that a graph says its weights are in. */
function external(facts: FolderFacts): { graph: GraphFacts; location: string; path: string }[] {
  return facts.graphs.flatMap((graph) =>
    (graph.header?.externalFiles ?? []).map((location) => ({ graph, location, path: besides(graph.file, location) })),
  );
}

const besides = (file: string, location: string): string =>
  dirname(file) === "." ? location : `${dirname(file)}/${location}`;

export const externalPath: Rule = {
  id: "external_data_outside",
  severity: "error",
  about: "Weights behind an absolute path or .. are refused by ONNX Runtime and could name any file of the machine.",
  source: "ORT #27353; onnx CVE-2026-27489 (onnx.md §1.1; packaging.md §1.3)",
  consumers: ONNX,
  check: (facts) =>
    external(facts)
      .filter(({ location }) => leavesFolder(location))
      .map(({ graph, location }) => ({
        file: graph.file,
        message: `keeps weights in ${JSON.stringify(location)}, outside its folder`,
        fix: "save it again with its weights beside it",
        ...concerned(facts, graph.file, ONNX),
      })),
};

export const externalMissing: Rule = {
  id: "external_data_missing",
  severity: "error",
  about: "A large graph is nothing without the file of its weights, which copying tools lose.",
  source: "ORT #7017, fastembed #603; sentence-transformers moves only the .onnx (onnx.md §1.1, §6.10)",
  consumers: ONNX,
  check: (facts) =>
    external(facts)
      .filter(({ location, path }) => !leavesFolder(location) && !((facts.files.get(path)?.size ?? 0) > 0))
      .map(({ graph, path }) => ({
        file: path,
        message: `is missing, and ${graph.file} keeps its weights there`,
        fix: "copy it too",
        ...concerned(facts, graph.file, ONNX),
      })),
};

export const externalLink: Rule = {
  id: "external_data_linked",
  severity: "error",
  about:
    "ONNX Runtime follows a link only into the graph's own real folder; Python's onnx takes no link at all, hard ones neither.",
  source: "ORT #27353, #27374; onnx PR #7686 (onnx.md §1.1)",
  consumers: ONNX,
  check: (facts) =>
    external(facts).flatMap(({ graph, path }) => {
      const data = facts.files.get(path);
      const beside = facts.files.get(graph.file);
      if (data === undefined || data.dangling) return [];
      const apart = data.linkedFolder !== null && data.linkedFolder !== beside?.linkedFolder;
      if (!apart && data.hardLinks === 1) return [];
      return [
        {
          file: path,
          message: apart
            ? "is a link to another folder than its graph's"
            : `is one of ${data.hardLinks} hard links to the same bytes`,
          fix: "replace it by a copy",
          ...(apart ? concerned(facts, graph.file, ONNX) : { severity: "warning" as const }),
        },
      ];
    }),
};

export const externalName: Rule = {
  id: "external_data_name",
  severity: "error",
  about: "transformers.js looks for <graph>_data; torch writes <graph>.data, which it does not find.",
  source: "transformers.js model-loader.js, getExternalDataChunkNames; optimum (onnx.md §1.1, §1.2 c)",
  consumers: ["transformers.js"],
  check: (facts) =>
    external(facts)
      .filter(({ graph, location }) => !leavesFolder(location) && !wanted(graph.file).test(location))
      .map(({ graph, location, path }) => ({
        file: path,
        message: `is not called ${basename(graph.file)}_data`,
        fix: `save the graph again in Python with onnx.save(..., location="${basename(graph.file)}_data"); it holds the name ${JSON.stringify(location)}`,
        ...concerned(facts, graph.file, ["transformers.js"]),
      })),
};

const basename = (file: string): string => file.split("/").at(-1) ?? file;
const wanted = (file: string): RegExp => new RegExp(`^${literal(basename(file))}_data(_\\d+)?$`);

/** The key under which transformers.js is told, with the form of its value. */
function settingEdit(facts: FolderFacts, format: Record<string, number> | undefined) {
  const settings = browserSettings(facts);
  const { use_external_data_format: _, ...others } = isObject(settings) ? settings : {};
  const kept = format === undefined ? others : { ...others, use_external_data_format: format };
  return withEdit(
    setMembers(facts, "config.json", { "transformers.js_config": Object.keys(kept).length > 0 ? kept : undefined }),
  );
}

/** What the key must be: each graph that keeps weights outside, by its full name. */
function trueFormat(facts: FolderFacts): Record<string, number> | undefined {
  const outside = facts.graphs.filter(({ header }) => (header?.externalFiles.length ?? 0) > 0);
  if (outside.length === 0) return undefined;
  return Object.fromEntries(outside.map(({ file, header }) => [basename(file), header?.externalFiles.length ?? 1]));
}

export const externalKey: Rule = {
  id: "external_data_not_announced",
  severity: "error",
  about:
    "transformers.js fetches weights outside a graph only when config.json says how many files; a local folder in Node works without.",
  source: "transformers.js session.js, use_external_data_format; transformers.js #1326, #553 (onnx.md §1.1)",
  consumers: ["transformers.js"],
  check: (facts) =>
    facts.graphs
      .filter(({ file, header }) => (header?.externalFiles.length ?? 0) > 0 && chunksFor(facts, file) === 0)
      .map(({ file, header }) => ({
        file: "config.json",
        message: `does not say that ${file} keeps weights outside`,
        fix: `add "transformers.js_config": {"use_external_data_format": {"${basename(file)}": ${header?.externalFiles.length}}}`,
        ...concerned(facts, file, ["transformers.js"]),
        ...settingEdit(facts, trueFormat(facts)),
      })),
};

export const externalKeyTooWide: Rule = {
  id: "external_data_announced_wrongly",
  severity: "error",
  about: "A base name or true as key announces files for every variant, and transformers.js fails on those without.",
  source: "transformers.js model-loader.js, resolveExternalDataFormat (onnx.md §1.1)",
  consumers: ["transformers.js"],
  check: (facts) => {
    const wrong = graphFiles(facts).filter(
      (file) =>
        chunksFor(facts, file) > 0 &&
        facts.graphs.some(
          (graph) => graph.file === file && graph.header !== null && graph.header.externalFiles.length === 0,
        ),
    );
    return wrong.slice(0, 1).map((file) => ({
      file: "config.json",
      message: `announces weights outside ${file}, which has none`,
      fix: 'name each graph in full, such as {"model.onnx": 1}',
      ...concerned(facts, file, ["transformers.js"]),
      ...settingEdit(facts, trueFormat(facts)),
    }));
  },
};
