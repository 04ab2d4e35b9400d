// The first pass of `data split`: which queries belong together, and which must not be measured on.
import { dataInvalid, ProblemList } from "../../dataset/findings.js";
import { isMadeUp } from "../../dataset/labelled.js";
import type { Clusters } from "../../dataset/near-duplicates.js";
import { QueryClusters } from "../../dataset/query-split.js";
import type { StreamedData } from "../reading/streamed-data.js";
import type { SplitOptions } from "./options.js";

/** What a first pass over the groups tells. */
export interface Learnt {
  /** Queries that must stay together. */
  together: Clusters;
  /** True for queries that only train may have. */
  trainOnly: boolean[];
  without_positives: number;
  made_up: number;
}

/**
 * Looks at all groups: what stays together, and what cannot be measured.
 * @throws RerankTuneError DATA_INVALID when queries lack the group key that the split goes by.
 */
export function learn(data: StreamedData, { by, source, emit }: SplitOptions): Learnt {
  const clusters = new QueryClusters();
  const learnt: Omit<Learnt, "together"> = { trainOnly: [], without_positives: 0, made_up: 0 };
  const keyless = new ProblemList();
  for (const { query, rows } of data.groups()) {
    clusters.add(query.text, query.groups);
    const positive = rows.some(({ label }) => label > 0);
    const madeUp = isMadeUp(query, rows);
    learnt.trainOnly.push(!positive || madeUp);
    if (!positive) learnt.without_positives += 1;
    if (madeUp) learnt.made_up += 1;
    if (query.groups.length === 0)
      keyless.add({ file: query.file, line: query.line, path: "group", message: "has no group key" });
  }
  if (by === "group" && keyless.total > 0)
    throw dataInvalid(
      `${keyless.total} of ${learnt.trainOnly.length} queries in ${source} have no group key.`,
      "fill in the field `group`, or split with --by query, which keeps the groups there are together",
      keyless.listed,
    );
  emit({ type: "phase", name: "join near-duplicates" });
  return { ...learnt, together: clusters.together() };
}
