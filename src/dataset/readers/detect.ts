// Reads labelled data of any form with the reader of that form.
import { dataInvalid } from "../findings.js";
import { type DataFormat, isMadeUp, LabelledData } from "../labelled.js";
import { readBeir } from "./beir.js";
import { readCohere } from "./cohere.js";
import { readFlagEmbedding } from "./flag-embedding.js";
import { formatOf, OF_RECIPE, type SourceWords } from "./form-of-path.js";
import { readGradedGroups } from "./graded-groups.js";
import { readMsSwift } from "./ms-swift.js";
import { readPairs } from "./pairs.js";
import { readRagRetrieval } from "./rag-retrieval.js";
import { readSentenceTransformers } from "./sentence-transformers.js";
import { sideFilesOf } from "./split-files.js";
import { readTevatron } from "./tevatron.js";
import { readTrec } from "./trec.js";

const READERS: Record<DataFormat, (path: string, data: LabelledData) => Promise<void>> = {
  pairs: readPairs,
  groups: readGradedGroups,
  flag_embedding: readFlagEmbedding,
  sentence_transformers: readSentenceTransformers,
  ms_swift: readMsSwift,
  tevatron: readTevatron,
  rag_retrieval: readRagRetrieval,
  cohere: readCohere,
  trec: readTrec,
  beir: readBeir,
};

/**
 * Reads labelled data; findings that do not stop the reading are in `findings` of the result.
 * @param words how hints name path and form.
 * @param make gives what the reader fills, for callers who do not want everything in memory.
 * @throws RerankTuneError DATA_NOT_FOUND, or DATA_INVALID when the form cannot be told or may be one of several.
 */
export async function readLabelledData(
  path: string,
  format: DataFormat | "auto",
  words: SourceWords = OF_RECIPE,
  make: (form: DataFormat) => LabelledData = (form) => new LabelledData(form),
): Promise<LabelledData> {
  let data: LabelledData | undefined;
  for (const { file, side } of await sideFilesOf(path)) {
    const form = await formatOf(file, format, words);
    data ??= make(form);
    data.side = side;
    await READERS[form](file, data);
  }
  if (data === undefined) throw dataInvalid(`${path} holds no data.`, "name a file of labelled rows");
  checkSplits(data);
  return data;
}

/** A split must be given for all queries or none: those without one would stand on no side. */
function checkSplits(data: LabelledData): void {
  // What a model made up always says train; that settles nothing for the queries of people.
  const asked = data.queries.filter((query) => !isMadeUp(query, query.judgements.values()));
  if (asked.every(({ split }) => split === undefined)) return;
  for (const { file, line, split } of asked)
    if (split === undefined)
      data.findings.fatal.add({
        file,
        line,
        path: "split",
        message: "has no split, but other queries have one",
        hint: "give every query a split, or none",
      });
}
