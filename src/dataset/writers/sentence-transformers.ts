// Writes sentence-transformers' labelled lists: query, docs, labels, in this order, which is what its losses go by.
import type { LabelledData } from "../labelled.js";
import { writeJsonLines } from "./lines.js";
import { type Shortfall, shortfalls } from "./shortfall.js";

/** Nothing but the three columns: any other would silently become an input of the model there. */
export async function writeSentenceTransformers(path: string, data: LabelledData): Promise<Shortfall[]> {
  await writeJsonLines(path, rows(data));
  return shortfalls(data, ["grades", "empty_groups"]);
}

function* rows(data: LabelledData): Generator<object> {
  for (const { text, judgements } of data.queries)
    yield {
      query: text,
      docs: [...judgements.keys()].map((passage) => data.passageTexts[passage]),
      labels: [...judgements.values()].map(({ label }) => label),
    };
}
