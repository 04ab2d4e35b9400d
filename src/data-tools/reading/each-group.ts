// One pass over all groups of labelled data that reports its progress and lets Ctrl-C through.
import { interrupted } from "../../errors.js";
import { type JudgedGroup, settle } from "./judged-group.js";
import type { StreamedData } from "./streamed-data.js";

/** Groups between two looks at the signal. */
const BREATH = 500;

interface Watched {
  signal: AbortSignal;
  emit(event: { type: "progress"; completed: number; total: number; unit: string }): void;
}

/** Shows every group to `visit`, settled, in order. @throws RerankTuneError INTERRUPTED, TERMINATED; what `visit` throws. */
export async function eachGroup(
  data: StreamedData,
  { signal, emit }: Watched,
  visit: (group: JudgedGroup) => void,
): Promise<void> {
  for (const rows of data.groups()) {
    const group = settle(rows);
    visit(group);
    if ((group.number + 1) % BREATH !== 0) continue;
    emit({ type: "progress", completed: group.number + 1, total: data.queryCount, unit: "queries" });
    await new Promise((resolve) => setImmediate(resolve));
    if (signal.aborted) throw interrupted(signal);
  }
}
