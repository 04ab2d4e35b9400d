// Scored groups as a table of query id, passage id and score: the form that the rules of `data check` and the filter of `data mine` read.
import { createReadStream } from "node:fs";
import { linesOf } from "../../dataset/lines.js";
import { RerankTuneError } from "../../errors.js";
import { LineFile } from "../reading/line-file.js";
import type { RowGroup } from "../reading/rows.js";

interface ScoredRow {
  query_id: string;
  passages: { id: string; teacher_score: number }[];
}

/** Before hours of scoring. @throws RerankTuneError DATA_INVALID for an id that no table can hold. */
export function refuseIdsWithTabs(groups: Iterable<RowGroup>): void {
  for (const { query, rows } of groups)
    for (const { file, line, id } of rows) if (/[\t\n\r]/.test(query.id + id)) throw unwritable(file, line);
}

/**
 * @param scored graded groups with a teacher_score on every passage, read line by line.
 * @throws RerankTuneError NOT_WRITABLE, DISK_FULL. Nothing is then left at `table`.
 */
export async function writeScoreTable(scored: string, table: string): Promise<void> {
  const file = new LineFile(table);
  try {
    for await (const line of linesOf(createReadStream(scored))) {
      const { query_id, passages } = JSON.parse(line) as ScoredRow;
      for (const { id, teacher_score } of passages) file.add(`${query_id}\t${id}\t${teacher_score}`);
    }
    file.finish();
  } catch (error) {
    file.discard();
    throw error;
  }
}

function unwritable(file: string, line: number): RerankTuneError {
  const message = "its query_id or passage id holds a tab or line break, which a table of scores cannot";
  return new RerankTuneError({
    code: "DATA_INVALID",
    message: `${file}, line ${line}: ${message}.`,
    hint: "use ids without tabs and line breaks, or leave out --scores",
    problems: [{ file, line, message }],
  });
}
