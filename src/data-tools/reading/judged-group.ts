// Settles a group: each passage once, as prepare does it. What gives way is kept beside, with the row that it repeats or contradicts.
import type { JudgedRow, RowGroup, StoredQuery } from "./rows.js";

export interface LeftOutRow {
  row: JudgedRow;
  /** The row that stands for the pair. */
  kept: JudgedRow;
}

export interface JudgedGroup {
  number: number;
  query: StoredQuery;
  /** One row a passage, in the order of the data. */
  passages: JudgedRow[];
  duplicates: LeftOutRow[];
  /** Rows with another label than the one kept. */
  contradictions: LeftOutRow[];
}

/** Of two labels the higher stays: a negative is often only assumed, while somebody asserted a positive (as in LabelledData). */
export function settle({ number, query, rows }: RowGroup): JudgedGroup {
  const kept = new Map<number, JudgedRow>();
  const repeats: [JudgedRow, JudgedRow][] = [];
  for (const row of rows) {
    const known = kept.get(row.passage);
    if (known === undefined) kept.set(row.passage, row);
    else if (row.label > known.label) {
      kept.set(row.passage, row);
      repeats.push([known, row]);
    } else repeats.push([row, known]);
  }
  // Whatever a row was measured against at first, the one that stays in the end is the one to name.
  const leftOut = repeats.map(([row]) => ({ row, kept: kept.get(row.passage) as JudgedRow }));
  for (const { row, kept: stays } of leftOut)
    if (row.label === stays.label && stays.teacher_score === undefined && row.teacher_score !== undefined)
      stays.teacher_score = row.teacher_score;
  return {
    number,
    query,
    passages: [...kept.values()],
    duplicates: leftOut.filter(({ row, kept: stays }) => row.label === stays.label),
    contradictions: leftOut.filter(({ row, kept: stays }) => row.label !== stays.label),
  };
}
