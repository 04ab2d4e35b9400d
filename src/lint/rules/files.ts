// Rules on the files as such: stand-ins, empty ones, links that lead away, names that collide.
import type { FileFacts, FolderFacts } from "../facts.js";
import { openersOf } from "../opened.js";
import { CONSUMERS, type ConsumerName, READERS, type Rule, type Severity, TORCH } from "../rule.js";

/** Who opens a file; a file that nobody opens makes no more than a warning. */
function readers(facts: FolderFacts, path: string): { consumers: readonly ConsumerName[]; severity?: Severity } {
  if (path.endsWith(".onnx")) return orWarning(openersOf(facts, path));
  // Weights outside a graph: named after it.
  const graph = /^(.*\.onnx)[._]data(_\d+)?$/.exec(path)?.[1];
  if (graph !== undefined) return orWarning(openersOf(facts, graph));
  if (/^model[^/]*\.safetensors(\.index\.json)?$/.test(path)) return { consumers: TORCH };
  if (/^pytorch_model[^/]*\.bin$/.test(path) && !facts.files.has("model.safetensors")) return { consumers: TORCH };
  if (path === "config.json" || path === "tokenizer.json") return { consumers: READERS };
  if (path === "tokenizer_config.json") return { consumers: READERS.filter((name) => name !== "tei-candle") };
  return { consumers: [], severity: "warning" };
}

const orWarning = (consumers: readonly ConsumerName[]) =>
  consumers.length > 0 ? { consumers } : { consumers, severity: "warning" as const };

const all = (facts: FolderFacts): FileFacts[] => [...facts.files.values()];

export const pointerFile: Rule = {
  id: "lfs_pointer",
  severity: "error",
  about: "Where git-lfs was not installed a clone holds a few lines of text in place of the weights.",
  source: "git-lfs docs/spec.md",
  consumers: CONSUMERS,
  check: (facts) =>
    all(facts)
      .filter(({ isPointer }) => isPointer)
      .map(({ path }) => ({
        file: path,
        message: "is a pointer of git-lfs, not the file",
        fix: "run `git lfs pull` in the folder",
        ...readers(facts, path),
      })),
};

export const emptyFile: Rule = {
  id: "empty_file",
  severity: "error",
  about: "A file of no bytes is a copy that failed.",
  source: "every consumer's own parser",
  consumers: CONSUMERS,
  check: (facts) =>
    all(facts)
      .filter(({ size, dangling, leaves, linkedFolder }) => size === 0 && !dangling && !leaves && linkedFolder === null)
      .filter(({ path }) => !/(^|\/)\.[^/]*$|\.gitkeep$/.test(path))
      .map(({ path }) => ({ file: path, message: "is empty", fix: "copy or fetch it again", ...readers(facts, path) })),
};

export const danglingLink: Rule = {
  id: "link_to_nothing",
  severity: "error",
  about: "A link whose target is gone is a missing file.",
  source: "TEI #793, ragflow #3584, fastembed #615 (packaging.md §1.3)",
  consumers: CONSUMERS,
  check: (facts) =>
    all(facts)
      .filter(({ dangling }) => dangling)
      .map(({ path }) => ({
        file: path,
        message: "is a link to nothing",
        fix: "put the file itself there",
        ...readers(facts, path),
      })),
};

export const leavingLink: Rule = {
  id: "link_leaves",
  severity: "warning",
  about: "A link out of the folder breaks when the folder is mounted or copied alone.",
  source: "TEI #793, ragflow #3584, fastembed #615 (packaging.md §1.3, §5)",
  consumers: CONSUMERS,
  check: (facts) =>
    all(facts)
      .filter(({ leaves }) => leaves)
      .map(({ path }) => ({
        file: path,
        message: "is a link out of the folder",
        fix: "put the file itself there: `cp -rL FOLDER NEW`",
      })),
};

export const caseCollision: Rule = {
  id: "names_collide",
  severity: "warning",
  about: "Names that differ in case only are one file on macOS and Windows, and one of them is lost.",
  source: "file systems of macOS and Windows",
  consumers: [],
  check: (facts) => {
    const known = new Map<string, string>();
    return all(facts).flatMap(({ path }) => {
      const other = known.get(path.toLowerCase());
      known.set(path.toLowerCase(), path);
      return other === undefined
        ? []
        : [{ file: path, message: `and ${other} differ in case only`, fix: "rename one" }];
    });
  },
};
