// When queries were asked: a field of the rows, read in a pass of its own. Dates become milliseconds, numbers stay as they are.
import { dataInvalid, Findings, ProblemList } from "../../dataset/findings.js";
import { numberOf } from "../../dataset/readers/fields.js";
import { readRows } from "../../dataset/readers/rows.js";
import type { RowGroup } from "../reading/rows.js";

/** Times by line, for each file that has rows of queries. */
export type Times = Map<string, Map<number, number>>;

/** ISO 8601 and what else Date.parse takes, or any number that grows with time, such as a year. */
export function timeOf(value: unknown): number | undefined {
  const number = numberOf(value);
  if (number !== undefined || typeof value !== "string") return number;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

/** @param field name as in the rows; the columns of a table are known in lower case. */
export async function readTimes(files: Iterable<string>, field: string): Promise<Times> {
  const times: Times = new Map();
  for (const file of files) {
    const ofFile = new Map<number, number>();
    for await (const { line, values } of readRows(file, new Findings())) {
      const time = timeOf(values[field] ?? values[field.toLowerCase()]);
      if (time !== undefined) ofFile.set(line, time);
    }
    times.set(file, ofFile);
  }
  return times;
}

/**
 * The newest time that any row gives each query, by number of the query.
 * @throws RerankTuneError DATA_INVALID with the lines of queries that have none.
 */
export function timesOfQueries(times: Times, groups: Iterable<RowGroup>, field: string): Float64Array {
  const found: number[] = [];
  const missing = new ProblemList();
  for (const { query, rows } of groups) {
    const given = [query, ...rows]
      .map(({ file, line }) => times.get(file)?.get(line))
      .filter((time) => time !== undefined);
    found.push(given.reduce((newest, time) => Math.max(newest, time), -Infinity));
    if (given.length === 0)
      missing.add({
        file: query.file,
        line: query.line,
        path: field,
        message: `\`${field}\` is no date and no number`,
      });
  }
  if (missing.total > 0)
    throw dataInvalid(
      `${missing.total} of ${found.length} queries have no time in \`${field}\`.`,
      "write dates such as 2026-03-31 into that field, or name another with --time-field",
      missing.listed,
    );
  return Float64Array.from(found);
}
