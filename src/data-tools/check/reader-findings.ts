// Passes what the readers notice on to the rules, all of it: their own lists keep the first fifty.
import { Findings, ProblemList } from "../../dataset/findings.js";
import type { Problem } from "../../errors.js";
import type { StreamedData } from "../reading/streamed-data.js";
import type { ReaderProblem } from "./rule.js";

class Forwarded extends ProblemList {
  constructor(private readonly forward: (problem: Problem) => void) {
    super();
  }

  override add(problem: Problem): void {
    this.total += 1;
    this.forward(problem);
  }
}

/** Bytes that are not UTF-8 are left to the rule on texts, which says in which text they stand. */
export function forwardingFindings(take: (problem: ReaderProblem) => void): Findings {
  const list = (kind: ReaderProblem["kind"]) => new Forwarded((problem) => take({ ...problem, kind }));
  const findings = { fatal: list("unreadable"), empty: list("empty"), encoding: new Forwarded(() => undefined) };
  return Object.assign(new Findings(), findings);
}

/** What the readers counted beside their findings. @returns how many of the adjusted values are not among the problems. */
export function takeCounted(data: StreamedData, source: string, take: (problem: ReaderProblem) => void): number {
  const { adjusted, unusedFields } = data;
  for (const problem of adjusted.listed) take({ ...problem, kind: "adjusted" });
  for (const [path, rows] of unusedFields)
    take({ file: source, path, message: `stands in ${rows} rows`, kind: "unused" });
  return adjusted.total - adjusted.listed.length;
}
