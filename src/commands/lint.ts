// `lint`: whether servers and libraries load a model folder as a reranker, with what limits, and what to change.
import { RerankTuneError } from "../errors.js";
import type { Verdict } from "../lint/consumers.js";
import { type LintReport, lintFolder } from "../lint/index.js";
import { type ConsumerName, type Finding, SEVERITIES, type Severity } from "../lint/rule.js";
import type { Paint, Style } from "../ui/colors.js";
import { plural } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { wrapText } from "../ui/wrap.js";
import type { CommandContext } from "./context.js";

export interface LintFlags {
  for?: ConsumerName[];
  fix?: boolean;
}

/** @throws RerankTuneError those of `lintFolder`. A consumer that will not load it is a failure beside the result. */
export async function lint(model: string, flags: LintFlags, { signal, emit }: CommandContext): Promise<Renderable> {
  emit({ type: "phase", name: "read_headers" });
  const report = await lintFolder({ name: model, deciding: flags.for ?? [], fix: flags.fix ?? false, signal });
  const failure = failureOf(report);
  return {
    data: report,
    essential: report.refused_by.length === 0 ? "ok" : report.refused_by.join(" "),
    text: (paint) => lintText(report, paint),
    ...(failure === undefined ? {} : { failure }),
  };
}

function failureOf({ folder, refused_by: refusing, findings, consumers }: LintReport): RerankTuneError | undefined {
  if (refusing.length === 0) return undefined;
  const fixable = findings.some((finding) => finding.fixable && concerns(finding, refusing));
  const loading = consumers.filter(({ loads }) => loads === "yes").map(({ name }) => `--for ${name}`);
  const narrow = loading.length === 0 ? [] : [`say for whom it is: ${loading.slice(0, 2).join(" ")}`];
  const hints = [
    ...(fixable ? [`run \`rerank-tune lint ${folder} --fix\``] : ["change what the errors name"]),
    ...narrow,
  ];
  return new RerankTuneError({
    code: "LINT_FAILED",
    message: `${folder} is no reranker to ${refusing.join(", ")}.`,
    hint: hints.join("; or "),
  });
}

const concerns = ({ severity, consumers }: Finding, names: readonly ConsumerName[]): boolean =>
  severity === "error" && consumers.some((name) => names.includes(name));

const WIDTH = 80;
const COLORS: Record<Severity, Style> = { error: "red", warning: "yellow", note: "dim" };
const INDENT = 9;

/** The table of consumers, then a block a finding, the gravest first. At most 80 columns. */
export function lintText(report: LintReport, paint: Paint): string {
  const { folder, consumers, findings, fixed } = report;
  const sorted = [...findings].sort(
    (left, right) => SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity),
  );
  const changed = fixed.map(({ file, message }) =>
    wrapped(`${paint("green", "fixed".padEnd(INDENT))}${file}: ${message}`),
  );
  return [
    ...(changed.length > 0 ? [changed.join("\n")] : []),
    `${folder}\n\n${consumerTable(consumers, paint)}`,
    ...sorted.map((finding) => findingText(finding, paint)),
    closing(report),
  ].join("\n\n");
}

function consumerTable(consumers: readonly Verdict[], paint: Paint): string {
  const rows = consumers.map(({ name, loads, limits }) => [
    name,
    loads === "unknown" ? "?" : loads,
    String(limits.max_input_tokens ?? "-"),
    limits.dtype ?? "-",
    limits.opens ?? "-",
  ]);
  const [head = "", ...lines] = columns([["", "loads", "tokens", "type", "opens"], ...rows], [1, 3, 4]);
  const painted = lines.map((line, index) => paintLoads(cut(line), consumers[index]?.loads ?? "yes", paint));
  return [paint("bold", head), ...painted].join("\n");
}

const cut = (line: string): string => (line.length < WIDTH ? line : `${line.slice(0, WIDTH - 4)}...`);

function paintLoads(line: string, loads: Verdict["loads"], paint: Paint): string {
  if (loads === "yes") return line;
  return paint(loads === "no" ? "red" : "yellow", line);
}

function findingText({ rule, severity, file, message, fix, consumers, fixable }: Finding, paint: Paint): string {
  const head = `${paint(COLORS[severity], severity.padEnd(INDENT))}${rule}${fixable ? "  (--fix)" : ""}`;
  const sentence = file === null ? message : `${file} ${message}`;
  const whom = consumers.length === 0 || consumers.length === 8 ? [] : [indented(`for ${consumers.join(", ")}`)];
  return [head, indented(sentence), ...whom.map((line) => paint("dim", line)), indented(`-> ${fix}`)].join("\n");
}

const wrapped = (text: string): string => wrapText(text, WIDTH, INDENT);
const indented = (text: string): string =>
  `${" ".repeat(INDENT)}${wrapText(text, WIDTH - INDENT)}`.replaceAll("\n", `\n${" ".repeat(INDENT)}`);

function closing({ consumers, findings }: LintReport): string {
  const loading = consumers.filter(({ loads }) => loads === "yes").length;
  const counts = SEVERITIES.map((severity) =>
    plural(findings.filter((finding) => finding.severity === severity).length, severity),
  );
  const fixable = findings.filter((finding) => finding.fixable).length;
  const mend = fixable === 0 ? "" : `; --fix mends ${fixable} of them`;
  return `${loading} of ${consumers.length} load it as a reranker\n${counts.join(", ")}${mend}`;
}
