// Collects what is wrong with labelled data, with file and line. Lists a few, counts all; quotes no text of the user's.
import { type Problem, RerankTuneError } from "../errors.js";

/** More than this is not read by anyone; the total is counted. */
const LISTED = 50;

/** Problems of one kind. */
export class ProblemList {
  readonly listed: Problem[] = [];
  total = 0;

  add(problem: Problem): void {
    this.total += 1;
    if (this.listed.length < LISTED) this.listed.push(problem);
  }
}

/** Where a row stands, for messages. */
export interface Place {
  file: string;
  /** 1-based. */
  line: number;
}

/** Everything noticed while reading: `fatal` stops the stage, the rest is dropped or resolved and reported. */
export class Findings {
  readonly fatal = new ProblemList();
  readonly duplicates = new ProblemList();
  readonly conflicts = new ProblemList();
  readonly empty = new ProblemList();
  readonly encoding = new ProblemList();
  /** Rows of a run for queries that the data does not have. */
  readonly unknown = new ProblemList();

  /** @throws RerankTuneError DATA_INVALID that lists the first fatal problems. */
  throwIfFatal(source: string): void {
    if (this.fatal.total === 0) return;
    const more = this.fatal.total - this.fatal.listed.length;
    throw dataInvalid(
      `${this.fatal.total} ${this.fatal.total === 1 ? "problem" : "problems"} in ${source}${more > 0 ? ` (the first ${this.fatal.listed.length} are listed)` : ""}.`,
      this.fatal.listed.find((problem) => problem.hint !== undefined)?.hint ??
        "correct the listed lines, then run the same command again",
      this.fatal.listed,
    );
  }
}

export function dataNotFound(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "DATA_NOT_FOUND", message, hint });
}

export function dataInvalid(message: string, hint: string, problems: Problem[] = []): RerankTuneError {
  return new RerankTuneError({ code: "DATA_INVALID", message, hint, problems });
}
