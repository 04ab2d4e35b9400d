// The log as people read it: the lines of a model or an alias, with what is wrong with the chain.
import { RerankTuneError } from "../errors.js";
import { type OciIndex, REFLOG_HEAD } from "./format.js";
import { type ReflogLine, readReflog } from "./reflog.js";

export interface Moves {
  /** Committed, oldest first; as far as the chain holds. */
  lines: Omit<ReflogLine, "index" | "previous">[];
  /** What is wrong with the chain of the whole log; empty when nothing is. */
  problems: string[];
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND when the log says nothing of the model or alias and is sound. */
export async function movesOf(root: string, index: OciIndex, name?: string, alias?: string): Promise<Moves> {
  const { lines, problems } = await readReflog(root, index.annotations?.[REFLOG_HEAD]);
  const found = lines.filter(
    (line) => (name === undefined || line.name === name) && (alias === undefined || line.alias === alias),
  );
  if (found.length === 0 && name !== undefined && problems.length === 0)
    throw new RerankTuneError({
      code: "REGISTRY_NOT_FOUND",
      message: `The log of ${root} has no line on ${alias === undefined ? name : `${name}:${alias}`}.`,
      hint: `see \`rerank-tune registry log --registry ${root}\``,
    });
  return { lines: found.map(({ index: _index, previous: _previous, ...line }) => line), problems };
}
