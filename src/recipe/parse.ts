// Recipe text → typed recipe, or every problem at once with its line, column and a suggestion. Reads no other file.
import { distance } from "fastest-levenshtein";
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { z } from "zod";
import { type Problem, RerankTuneError } from "../errors.js";
import type { VerifyOptions } from "../stages/verify/schema.js";
import { recipeRules } from "./rules.js";
import { type Recipe, recipeSchema } from "./schema.js";

export interface ParseOptions {
  /** Name in messages. */
  file: string;
  /** `train.epochs=2`; values are YAML scalars. */
  overrides?: readonly string[];
}

/**
 * Parses and completes a recipe.
 * @throws RerankTuneError RECIPE_INVALID with all problems, USAGE for an override that is not `key=value`.
 */
export function parseRecipe(text: string, options: ParseOptions): Recipe {
  return parse(recipeSchema, text, { ...options, rules: recipeRules, check: `rerank-tune validate ${options.file}` });
}

const verifySectionSchema = recipeSchema.pick({ verify: true });

/**
 * The `verify` section alone, as a packaged model carries it; overrides may name no other section.
 * @throws RerankTuneError RECIPE_INVALID, USAGE as for a recipe.
 */
export function parseVerifySection(section: unknown, options: ParseOptions): VerifyOptions {
  const text = JSON.stringify(section === undefined ? {} : { verify: section });
  return parse(verifySectionSchema, text, { ...options, check: "rerank-tune verify --help" }).verify;
}

interface Rules<Parsed> extends ParseOptions {
  /** What the schema cannot say. */
  rules?(parsed: Parsed): Problem[];
  /** Command for the hint of an error. */
  check: string;
}

function parse<Schema extends z.ZodObject>(
  schema: Schema,
  text: string,
  options: Rules<z.infer<Schema>>,
): z.infer<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors.map((error) => ({
    file: options.file,
    ...position(lines, error.pos[0]),
    path: "yaml",
    message: error.message,
  }));
  if (syntax.length > 0) throw invalid(options, syntax);
  for (const override of options.overrides ?? []) applyOverride(document, override);
  const parsed = schema.safeParse(document.toJS() ?? {}, { reportInput: true });
  const problems = parsed.success
    ? (options.rules?.(parsed.data) ?? [])
    : parsed.error.issues.flatMap((issue) => describeIssue(issue, schema));
  if (problems.length > 0 || !parsed.success)
    throw invalid(
      options,
      problems.map((problem) => locate(problem, document, lines, options.file)),
    );
  return parsed.data;
}

function applyOverride(document: Document, override: string): void {
  const at = override.indexOf("=");
  if (at < 1)
    throw new RerankTuneError({
      code: "USAGE",
      message: `--set ${override} is not key=value.`,
      hint: "write it as `--set train.epochs=2`",
    });
  document.setIn(override.slice(0, at).split("."), parseDocument(override.slice(at + 1)).toJS() as unknown);
}

function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType): Problem[] {
  const path = issue.path.join(".");
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      path: join(path, key),
      message: `"${key}" is not a field here`,
      ...suggest(key, fieldsAt(issue.path, schema)),
    }));
  if (issue.code === "invalid_value")
    return [
      {
        path,
        message: `must be one of ${issue.values.map(String).join(", ")}`,
        ...suggest(String(issue.input ?? ""), issue.values.map(String)),
      },
    ];
  if (issue.code === "invalid_union")
    return issue.errors
      .flat()
      .flatMap((inner) => describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, schema))
      .slice(0, 1);
  return [{ path, message: issue.message }];
}

function suggest(word: string, known: readonly string[]): { hint?: string } {
  const near = known
    .map((name) => ({ name, far: distance(word, name) }))
    .sort((left, right) => left.far - right.far)[0];
  return near !== undefined && near.far <= Math.max(2, word.length / 3)
    ? { hint: `did you mean \`${near.name}\`?` }
    : {};
}

/** Names of the fields the schema knows at a path. */
function fieldsAt(path: readonly PropertyKey[], schema: unknown): string[] {
  const inner = path.reduce<unknown>((outer, name) => shapeOf(outer)?.[String(name)], schema);
  return Object.keys(shapeOf(inner) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  const wrapped = schema as { shape?: Record<string, unknown>; def?: { innerType?: unknown } } | undefined;
  return wrapped?.shape ?? (wrapped?.def?.innerType === undefined ? undefined : shapeOf(wrapped.def.innerType));
}

/** The position of the field, or of the nearest enclosing one that is written down. */
function locate(problem: Problem, document: Document, lines: LineCounter, file: string): Problem {
  const names = (problem.path ?? "").split(".").filter((name) => name !== "");
  for (let depth = names.length; depth > 0; depth--) {
    const offset = keyOffset(document, names.slice(0, depth));
    if (offset !== undefined) return { file, ...position(lines, offset), ...problem };
  }
  return { file, line: 1, column: 1, ...problem };
}

function keyOffset(document: Document, names: readonly string[]): number | undefined {
  const parent: unknown = names.length === 1 ? document.contents : document.getIn(names.slice(0, -1), true);
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find(
    (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === names.at(-1),
  );
  return isNode(pair?.key) ? (pair.key as Node).range?.[0] : undefined;
}

function position(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line, column: col };
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function invalid({ file, check }: { file: string; check: string }, problems: Problem[]): RerankTuneError {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return new RerankTuneError({
    code: "RECIPE_INVALID",
    message: `${count} in ${file}`,
    hint: `correct ${problems.length === 1 ? "it" : "them"}, then run \`${check}\``,
    problems,
  });
}
