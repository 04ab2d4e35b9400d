// `init`: writes a commented recipe for the person's own data, with a preset's settings or our defaults; never overwrites a file.
import { writeFile } from "node:fs/promises";
import { basename, dirname, extname, isAbsolute, relative, resolve, sep } from "node:path";
import { fromFileSystemError, RerankTuneError } from "../errors.js";
import { parseRecipe } from "../recipe/parse.js";
import type { Preset, PresetSetting } from "../recipe/presets.js";
import type { Renderable } from "../ui/output.js";
import { displayPath, programName } from "./context.js";
import { findPreset } from "./presets.js";

export interface InitFlags {
  data: string;
  /** Hub repository or folder; the preset's when left out, such as for a copy of it on disk. */
  base?: string;
  /** Name of a preset. */
  preset?: string;
}

const DEFAULT_BASE = "BAAI/bge-reranker-v2-m3";

const DEFAULT_SETTINGS: readonly PresetSetting[] = [
  {
    field: "learning_rate",
    yaml: "auto",
    why: "by the size of the base: 1e-5 for bge-reranker-v2-m3, more for smaller ones",
  },
  { field: "epochs", yaml: "3", why: "" },
  { field: "max_length", yaml: "256", why: "tokens of a pair; longer ones are cut, prepare says how many" },
];

/** @throws RerankTuneError USAGE when the file is there already, no preset has that name, or a value cannot stand in a recipe. */
export async function init(path: string, flags: InitFlags): Promise<Renderable> {
  const file = resolve(path);
  const text = recipeText(file, flags);
  const { name } = parseRecipe(text, { file: path });
  await writeFile(file, text, { flag: "wx" }).catch((error) => refuse(error, path));
  const program = await programName();
  const shown = displayPath(file);
  const next = [`${program} validate ${shown}`, `${program} run ${shown} --dry-run`, `${program} run ${shown}`];
  return {
    data: { recipe: file, name },
    essential: file,
    text: (paint) => [`wrote ${shown}`, "", paint("bold", "next"), ...next.map((command) => `  ${command}`)].join("\n"),
  };
}

function refuse(error: NodeJS.ErrnoException, path: string): never {
  if (error.code === "EEXIST")
    throw new RerankTuneError({
      code: "USAGE",
      message: `${path} is there already.`,
      hint: "give another name: `rerank-tune init other.yaml --data FILE`",
    });
  if (error.code === "ENOENT")
    throw new RerankTuneError({
      code: "NOT_WRITABLE",
      message: `The folder of ${path} does not exist.`,
      hint: `make it first: \`mkdir -p ${dirname(path)}\``,
    });
  throw fromFileSystemError(error, path) ?? error;
}

/**
 * The recipe as text; comments say what a value does, so that the file can be edited without the reference.
 * @throws RerankTuneError USAGE when no preset has that name.
 */
export function recipeText(file: string, flags: InitFlags): string {
  const folder = dirname(file);
  const preset = flags.preset === undefined ? undefined : findPreset(flags.preset);
  const base = flags.base ?? preset?.base ?? DEFAULT_BASE;
  return `${header(file, base, flags.data, preset)}
schema: 1
name: ${recipeName(base, flags.data, preset)} # folder of the run and name of the published model
base_model: ${baseModel(base, folder)}
prepare:
  source: ${quoted(fromFolder(flags.data, folder))} # query, passage, label as JSONL, CSV or TSV; or groups, FlagEmbedding rows, a BEIR folder
  split: { dev: auto, test: 0.15 } # by query; dev selects the checkpoint, test is scored once
  candidates: { depth: 30 } # passages a query that are reranked on dev and test
# trim: { languages: [en] } # a multilingual base without the pieces that neither these languages nor the data need: smaller files
train:
${(preset?.settings ?? DEFAULT_SETTINGS).map(settingLine).join("\n")}
quantize: { int8: true, fp16: true }
verify:
  gates: { ndcg_max_drop: 0.005 } # what a variant may lose against the tuned model
${packageLine(preset)}
`;
}

function header(file: string, base: string, data: string, preset: Preset | undefined): string {
  const task = `# Fine-tune ${isHubRepository(base) ? base : basename(base)} on ${basename(data)} with graded group cross-entropy`;
  const commands = [
    `# run:      rerank-tune run ${basename(file)}`,
    `# override: rerank-tune run ${basename(file)} --set train.epochs=2`,
  ];
  if (preset === undefined) return [`${task}.`, ...commands].join("\n");
  return [`${task}, preset ${preset.name}.`, `# ${preset.when}`, `# hardware: ${preset.hardware}`, ...commands].join(
    "\n",
  );
}

/** `<base>-<data>-<loss>`; presets of one base get names of their own, and with them run folders of their own. */
function recipeName(base: string, data: string, preset: Preset | undefined): string {
  const variant = preset?.variant === undefined ? [] : [preset.variant];
  return [slug(basename(base)), slug(basename(data, extname(data))), ...variant, "ce"].join("-");
}

function settingLine({ field, yaml, why }: PresetSetting): string {
  return `  ${field}: ${yaml}${why === "" ? "" : ` # ${why}`}`;
}

function packageLine(preset: Preset | undefined): string {
  if (preset === undefined)
    return "package: { languages: [] } # ISO 639-1 codes; the licence is that on the base's card unless you write `license:`";
  return `package: { license: ${preset.license}, languages: [${preset.languages.join(", ")}] } # the licence on the base's card; ISO 639-1 codes of your data`;
}

function baseModel(base: string, folder: string): string {
  if (isHubRepository(base))
    return `{ repo: ${base}, revision: main } # a commit, tag or branch; the commit is recorded`;
  return `{ path: ${quoted(fromFolder(base, folder))} } # config.json, tokenizer.json, model.safetensors`;
}

/** `owner/name` is a repository; anything that starts like a path is a folder. */
function isHubRepository(base: string): boolean {
  return /^[A-Za-z0-9][\w.-]*\/[\w.-]+$/.test(base);
}

function fromFolder(path: string, folder: string): string {
  const near = relative(folder, resolve(path)) || ".";
  return isAbsolute(near) ? near : near.split(sep).join("/");
}

/** YAML takes a JSON string as it is. */
function quoted(text: string): string {
  return /^[\w.][\w./-]*$/.test(text) ? text : JSON.stringify(text);
}

function slug(text: string): string {
  const words = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return words.slice(0, 40).replace(/-+$/, "") || "model";
}
