// Reads Tevatron's JSONL: query, positive_passages and negative_passages as objects with docid, title and text.
import type { LabelledData } from "../labelled.js";
import { addQuery, countUnused, judgePassage, objectIn, QUERY_DETAILS, requireOneOf } from "./entries.js";
import { readJsonRows } from "./rows.js";

const SIDES = [
  ["positive_passages", 1],
  ["negative_passages", 0],
] as const;
const ROW = [...QUERY_DETAILS, "query", "positive_passages", "negative_passages"];
const PASSAGE = ["docid", "title", "text", "teacher_score", "source", "rank"];

/** Either side may be missing or empty, but not both missing; a title stays the beginning of its passage. */
export async function readTevatron(path: string, data: LabelledData): Promise<void> {
  for await (const { line, values } of readJsonRows(path, data.findings)) {
    const place = { file: path, line };
    countUnused(data, values, ROW);
    const query = addQuery(data, place, values);
    requireOneOf(data, place, values, ["positive_passages", "negative_passages"]);
    for (const [name, label] of SIDES) {
      const list = values[name] ?? [];
      if (!Array.isArray(list)) {
        data.findings.fatal.add({ ...place, path: name, message: `\`${name}\` is not a list` });
        continue;
      }
      for (const value of list as unknown[]) {
        const passage = objectIn(data, place, name, value);
        if (passage === undefined) continue;
        countUnused(data, passage, PASSAGE, `${name}.`);
        judgePassage(data, query, place, passage, { id: "docid", text: "text" }, label);
      }
    }
  }
}
