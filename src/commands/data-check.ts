// `data check`: what is wrong with labelled data, rule by rule, with lines; a cleaned copy on request.
import { mkdir } from "node:fs/promises";
import { basename, relative, resolve } from "node:path";
import { checkData } from "../data-tools/check/index.js";
import type { CheckResult } from "../data-tools/check/options.js";
import type { Finding } from "../data-tools/check/report.js";
import { type Rule, SEVERITIES, type Severity } from "../data-tools/check/rule.js";
import { RULES } from "../data-tools/check/rules/index.js";
import type { DataFormat } from "../dataset/forms.js";
import { RerankTuneError } from "../errors.js";
import type { Paint, Style } from "../ui/colors.js";
import { plural } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { wrapText } from "../ui/wrap.js";
import { type CommandContext, displayPath } from "./context.js";

export interface DataCheckFlags {
  format: DataFormat | "auto";
  scores?: string;
  run?: string;
  clean?: string;
  maxLength?: number;
  model?: string;
}

/** @throws RerankTuneError USAGE and those of `checkData`. Findings of severity error are a failure beside the result. */
export async function dataCheck(path: string, flags: DataCheckFlags, context: CommandContext): Promise<Renderable> {
  const { format, scores, run, clean } = flags;
  const { signal, emit, home } = context;
  const source = resolve(path);
  if (clean !== undefined && resolve(clean) === source)
    throw new RerankTuneError({
      code: "USAGE",
      message: "--clean names the file that is checked.",
      hint: "give the cleaned copy another name",
    });
  const tokens = tokensOf(flags);
  await mkdir(home, { recursive: true });
  const result = await checkData({
    source,
    format,
    scratch: home,
    signal,
    emit,
    ...(scores === undefined ? {} : { scores: resolve(scores) }),
    ...(run === undefined ? {} : { run: resolve(run) }),
    ...(clean === undefined ? {} : { clean: resolve(clean) }),
    ...(tokens === undefined ? {} : { tokens }),
  });
  const failure = failureOf(result);
  return {
    data: result,
    essential: SEVERITIES.map((severity) => plural(result.severities[severity], severity)).join(", "),
    text: (paint) => checkText(result, paint),
    ...(failure === undefined ? {} : { failure }),
  };
}

function tokensOf({ model, maxLength }: DataCheckFlags): { model: string; max_length: number } | undefined {
  if (model === undefined && maxLength === undefined) return undefined;
  if (model === undefined || maxLength === undefined)
    throw new RerankTuneError({
      code: "USAGE",
      message: `${model === undefined ? "--max-length" : "--model"} alone counts no tokens.`,
      hint: "give both: `--model FOLDER --max-length 512`",
    });
  return { model: resolve(model), max_length: maxLength };
}

function failureOf({ severities, findings, source }: CheckResult): RerankTuneError | undefined {
  if (severities.error === 0) return undefined;
  const errors = findings.filter(({ severity }) => severity === "error");
  return new RerankTuneError({
    code: "DATA_CHECK_FAILED",
    message: `${plural(severities.error, "error")} in ${displayPath(source)}.`,
    hint: "correct the lines above; --json lists them all, --clean FILE writes a copy without rows that cannot be used",
    problems: errors.map(({ rule, file, line, message }) => ({
      path: rule,
      message,
      ...(file === null ? {} : { file: displayPath(file) }),
      ...(line === null ? {} : { line }),
    })),
  });
}

const COLUMNS = 80;
const COLORS: Record<Severity, Style> = { error: "red", warning: "yellow", note: "dim" };

/** One block a rule that found something: how often, what it means, where first. At most 80 columns. */
export function checkText(result: CheckResult, paint: Paint): string {
  const { queries, pairs, source, form, severities, clean } = result;
  const head = `${count(pairs)} pairs of ${count(queries)} queries in ${displayPath(source)} (${form})`;
  const found = RULES.map((rule) => foundBy(rule, result)).filter(({ total }) => total > 0);
  found.sort((left, right) => SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity));
  const blocks = found.map((rule) => ruleText(rule, source, paint));
  const sum = SEVERITIES.map((severity) => plural(severities[severity], severity)).join(", ");
  const closing = [severities.error + severities.warning + severities.note === 0 ? "nothing to complain about" : sum];
  if (clean !== null)
    closing.push(
      `clean     ${displayPath(clean)}`,
      `left out  ${count(result.left_out)}: ${displayPath(result.left_out_rows ?? "")}`,
    );
  if (result.scored_pairs === null) closing.push("no base scores: labels were not compared with the base (--scores)");
  return [head, ...blocks, closing.join("\n")].join("\n\n");
}

/** What a rule found, under the gravest severity that it used. */
interface Found extends Pick<Rule, "name" | "about"> {
  severity: Severity;
  total: number;
  findings: Finding[];
}

function foundBy({ name, about }: Rule, { findings: all, counts }: CheckResult): Found {
  const findings = all.filter(({ rule }) => rule === name);
  const severity = SEVERITIES.find((one) => findings.some((finding) => finding.severity === one)) ?? "note";
  findings.sort((left, right) => SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity));
  return { name, about, severity, total: counts[name] ?? 0, findings };
}

function ruleText(found: Found, source: string, paint: Paint): string {
  const { name, about, severity, total } = found;
  const head = `${severity.padEnd(7)}  ${name.padEnd(COLUMNS - 21)}${count(total).padStart(12)}`;
  const body = [about, placesText(found, source)].filter((text) => text !== "");
  return [paint(COLORS[severity], head), ...body.map(wrapped)].join("\n");
}

const INDENT = 9;
const SHOWN = 5;

/** The gravest finding and the first places; one about the whole of the data has no place. */
function placesText({ findings, total }: Found, source: string): string {
  const [first] = findings;
  if (first === undefined) return "";
  const several = new Set(findings.map(({ file }) => file)).size > 1;
  const places = findings.flatMap(({ file, line, path }) => {
    const place = line ?? path;
    if (place === null) return [];
    return [several && file !== null ? `${relative(source, file) || basename(file)}:${place}` : String(place)];
  });
  const shown = [...new Set(places)].slice(0, SHOWN);
  const more = total > shown.length && places.length > shown.length ? ", ..." : "";
  if (shown.length === 0) return first.message;
  return `${first.line === null || several ? "" : "line "}${shown.join(", ")}${more} (${first.message})`;
}

function wrapped(text: string): string {
  // wrapText leaves the last column free and does not indent the first line.
  return `${" ".repeat(INDENT)}${wrapText(text, COLUMNS - INDENT)}`.replaceAll("\n", `\n${" ".repeat(INDENT)}`);
}

const count = (value: number): string => value.toLocaleString("en-US");
