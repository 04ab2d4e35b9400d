// The rows of a TREC run by query, read line by line, for the negatives that prepare would draw from it.
import { stat } from "node:fs/promises";
import { dataNotFound } from "../../dataset/findings.js";
import { Integers } from "../../dataset/integers.js";
import { numberOf } from "../../dataset/readers/fields.js";
import { readLines } from "../../dataset/readers/rows.js";
import { RerankTuneError } from "../../errors.js";
import { TextStore } from "../reading/text-store.js";

const NONE = -1;

export interface RunRow {
  passageId: string;
  line: number;
}

export class RunTable {
  /** Rows that name a query which the data does not have. */
  unknown = 0;
  private readonly latestOf = new Map<number, number>();
  private readonly before = new Integers();
  private readonly lines = new Integers();
  private readonly ids: TextStore;

  private constructor(
    readonly file: string,
    scratch: string,
  ) {
    this.ids = new TextStore(scratch);
  }

  /**
   * @param queryWithId number of the query with this id.
   * @throws RerankTuneError DATA_NOT_FOUND, or DATA_INVALID with the first line that is no row of a run.
   */
  static async read(file: string, scratch: string, queryWithId: (id: string) => number | undefined): Promise<RunTable> {
    if (!(await stat(file).catch(() => undefined))?.isFile())
      throw dataNotFound(`There is no run file ${file}.`, "name the TREC run of your retriever, or leave out --run");
    const table = new RunTable(file, scratch);
    for await (const { line, text } of readLines(file)) {
      const [queryId = "", , passageId = "", , score] = text.trim().split(/\s+/);
      if (numberOf(score) === undefined) throw malformed(file, line);
      const query = queryWithId(queryId);
      if (query === undefined) table.unknown += 1;
      else table.add(query, passageId, line);
    }
    return table;
  }

  /** Rows of the query, in the order of the file. */
  rowsOf(query: number): RunRow[] {
    const rows: RunRow[] = [];
    for (let row = this.latestOf.get(query) ?? NONE; row !== NONE; row = this.before.at(row))
      rows.push({ passageId: this.ids.get(row), line: this.lines.at(row) });
    return rows.reverse();
  }

  close(): void {
    this.ids.close();
  }

  private add(query: number, passageId: string, line: number): void {
    const row = this.ids.add(passageId);
    this.before.push(this.latestOf.get(query) ?? NONE);
    this.lines.push(line);
    this.latestOf.set(query, row);
  }
}

function malformed(file: string, line: number): RerankTuneError {
  return new RerankTuneError({
    code: "DATA_INVALID",
    message: `${file}, line ${line} is not \`query Q0 passage rank score tag\`.`,
    hint: "write the run in TREC's form, six columns separated by spaces",
    problems: [{ file, line, message: "is not `query Q0 passage rank score tag`" }],
  });
}
