// An error as a person reads it: code and sentence, the findings with their places, the way out. And the same as JSON.
import { type Problem, RerankTuneError } from "../errors.js";
import type { Paint } from "./colors.js";
import { wrapText } from "./wrap.js";

/** Findings shown before the rest is counted; `--json` has them all. */
const SHOWN_PROBLEMS = 20;

/** The `error` member of a JSON document. */
export interface ErrorDocument {
  code: string;
  message: string;
  hint: string;
  problems: Problem[];
}

export function errorDocument(error: RerankTuneError): ErrorDocument {
  const { code, message, hint, problems } = error;
  return { code, message, hint, problems };
}

/** Anything that is not ours is a bug of ours until it has its own code. */
export function asRerankTuneError(error: unknown): RerankTuneError {
  if (error instanceof RerankTuneError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new RerankTuneError({
    code: "INTERNAL",
    message: `Unexpected failure: ${message.split("\n")[0]}`,
    hint: "run the same command with --debug and report what it prints; finished stages are kept",
    cause: error,
  });
}

/** Several lines without a line break at the end; `columns` of a terminal wraps them at words. */
export function renderError(
  error: RerankTuneError,
  paint: Paint,
  options: { debug?: boolean; columns?: number } = {},
): string {
  const { debug = false, columns } = options;
  const lines = [
    wrapText(`${paint("red", `error[${error.code}]`)}: ${error.message}`, columns),
    ...renderProblems(error.problems),
  ];
  lines.push("", wrapText(`${paint("bold", "hint")}: ${error.hint}`, columns));
  if (debug) lines.push("", ...stacks(error));
  return lines.join("\n");
}

/** One line a finding; the columns of place and subject are aligned. */
function renderProblems(problems: readonly Problem[]): string[] {
  const shown = problems.slice(0, SHOWN_PROBLEMS);
  const places = shown.map(place);
  const subjects = shown.map(({ path }) => path ?? "");
  const placeWidth = Math.max(0, ...places.map((text) => text.length));
  const subjectWidth = Math.min(32, Math.max(0, ...subjects.map((text) => text.length)));
  const lines = shown.map(({ message, hint }, index) => {
    const cells = [
      placeWidth === 0 ? "" : places[index]?.padEnd(placeWidth),
      subjectWidth === 0 ? "" : subjects[index]?.padEnd(subjectWidth),
      hint === undefined ? message : `${message} (${hint})`,
    ];
    return `  ${cells.filter((cell) => cell !== "").join("  ")}`;
  });
  const rest = problems.length - shown.length;
  return rest > 0 ? [...lines, `  and ${rest} more; --json lists them all`] : lines;
}

function place({ file, line, column }: Problem): string {
  return [file, line, column].filter((part) => part !== undefined).join(":");
}

function stacks(error: Error): string[] {
  const cause = error.cause instanceof Error ? ["caused by:", ...stacks(error.cause)] : [];
  return [...(error.stack ?? "").split("\n"), ...cause];
}
