// Writes labelled data in any form with the writer of that form.
import type { TargetForm } from "../forms.js";
import type { LabelledData } from "../labelled.js";
import { writeBeir } from "./beir.js";
import { writeFlagEmbedding } from "./flag-embedding.js";
import { writeGradedGroups } from "./graded-groups.js";
import { writePairs } from "./pairs.js";
import { writeSentenceTransformers } from "./sentence-transformers.js";
import type { Shortfall } from "./shortfall.js";

const WRITERS: Record<TargetForm, (path: string, data: LabelledData) => Promise<Shortfall[]>> = {
  groups: writeGradedGroups,
  flag_embedding: writeFlagEmbedding,
  pairs: writePairs,
  sentence_transformers: writeSentenceTransformers,
  beir: writeBeir,
};

/**
 * @param path file, for `beir` a folder.
 * @returns what the form cannot hold of the data, counted.
 * @throws RerankTuneError DATA_INVALID, NOT_WRITABLE, DISK_FULL.
 */
export async function writeLabelledData(path: string, form: TargetForm, data: LabelledData): Promise<Shortfall[]> {
  return await WRITERS[form](path, data);
}
