// Joins what a collection keeps apart by ids: queries and passages of the same text become one, as in every form that knows texts alone.
import type { Split } from "./groups.js";
import { LabelledData, type LabelledQuery } from "./labelled.js";

/** The side that is used last wins, as in prepare: what was tested on must not be trained on. */
const ORDER: readonly Split[] = ["train", "dev", "test"];

/** @returns new data with the same findings, to which repeated pairs and conflicts are added; passages that no query judges are not in it. */
export function joinEqualTexts(data: LabelledData): LabelledData {
  const joined = new LabelledData(data.format, data.findings);
  for (const query of data.queries) {
    const { id, text, file, line, groups, lang } = query;
    const own = joined.queryWithText(
      text,
      { file, line },
      { id: query.hasOwnId === true ? id : undefined, groups, lang },
    );
    settleSplit(joined, own, query);
    for (const [passage, judgement] of query.judgements)
      joined.judge(own, joinedPassage(data, joined, passage), { ...judgement });
  }
  return joined;
}

function joinedPassage(data: LabelledData, joined: LabelledData, passage: number): number {
  return joined.passageWithText(
    data.passageTexts[passage] ?? "",
    data.ownPassageId(passage),
    data.partsOf(passage).title,
  );
}

function settleSplit(joined: LabelledData, own: LabelledQuery, { split, file, line }: LabelledQuery): void {
  if (split === undefined || split === own.split) return;
  const before = own.split;
  if (before === undefined || ORDER.indexOf(split) > ORDER.indexOf(before)) own.split = split;
  if (before !== undefined)
    joined.adjusted.add({
      file,
      line,
      path: "split",
      message: `the same query stands in ${before} (line ${own.line}) and in ${split}; it is kept in ${own.split}`,
    });
}
