// What `--fix` does: takes the edits that rules propose one after another until none is left, then writes each changed file at once.
import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RerankTuneError } from "../errors.js";
import { examine } from "./examine.js";
import { type FolderFacts, withText } from "./facts.js";

export interface Fixed {
  rule: string;
  file: string;
  message: string;
}

/** More rounds than there are rules would mean that two of them undo each other. */
const MOST_ROUNDS = 200;

/**
 * Applies edits in memory; every one is proposed for the folder as the ones before left it.
 * @returns the folder as it would be, and what was done to it, in order.
 */
export function fixedFacts(facts: FolderFacts): { facts: FolderFacts; done: Fixed[] } {
  let current = facts;
  const done: Fixed[] = [];
  while (done.length < MOST_ROUNDS) {
    const next = examine(current).find(({ edit }) => edit !== null);
    if (next?.edit === null || next === undefined) break;
    current = withText(current, next.edit.file, next.edit.text);
    done.push({ rule: next.rule, file: next.edit.file, message: next.fix });
  }
  return { facts: current, done };
}

/**
 * A package's manifest holds the digest of every file: changing one would make it a broken package.
 * @throws RerankTuneError USAGE.
 */
export function refusePackageFix(facts: FolderFacts): void {
  if (!facts.files.has("rerank-tune.json")) return;
  throw new RerankTuneError({
    code: "USAGE",
    message: `${facts.name} is a package of rerank-tune, and --fix would break the digests in its rerank-tune.json.`,
    hint: "run `rerank-tune run RECIPE` again to make it anew, or copy the folder without rerank-tune.json and fix the copy",
  });
}

/** Writes what changed; each file is whole at every moment. Graphs and weights are no texts and never among them. */
export async function writeFixes(before: FolderFacts, after: FolderFacts): Promise<string[]> {
  const changed = [...after.texts].filter(([path, text]) => before.texts.get(path) !== text);
  for (const [path, text] of changed) {
    const target = join(after.folder, path);
    const temporary = `${target}.${randomUUID()}.tmp`;
    await mkdir(dirname(target), { recursive: true });
    try {
      await writeFile(temporary, text);
      await rename(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
  }
  return changed.map(([path]) => path);
}
