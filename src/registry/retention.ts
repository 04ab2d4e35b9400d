// Which versions stay so that going back keeps working. Pure: the index, the log and the clock decide.
import type { OciIndex } from "./format.js";
import { aliasesEver, type Holding, holdings } from "./history.js";
import { allAliases, versionEntries } from "./index-file.js";
import { protectedAliases } from "./protection.js";
import type { ReflogLine } from "./reflog.js";

export interface Retention {
  /** Versions before the present one that each alias keeps. */
  keep: number;
  /** Days that a version stays after the last alias left it. */
  olderThanDays: number;
  now: Date;
}

export interface Unretained {
  name: string;
  digest: string;
  /** When an alias last held it, ISO; null where the log says nothing of it. */
  last_held: string | null;
}

const DAY_MS = 86_400_000;

/**
 * Versions that nothing keeps: no alias holds them, none held them as one of its last `keep` or within the days, and no
 * protected alias ever did. The order is that of the index.
 */
export function unretained(index: OciIndex, lines: readonly ReflogLine[], retention: Retention): Unretained[] {
  const kept = new Set<string>();
  const lastHeld = new Map<string, string>();
  for (const [name, aliases] of allAliases(index))
    for (const digest of Object.values(aliases)) kept.add(`${name}@${digest}`);
  const rules = protectedAliases(index);
  for (const { name, alias } of aliasesEver(lines)) {
    const held = holdings(lines, name, alias);
    const all = `${name}:${alias}` in rules;
    for (const digest of all ? held.map((holding) => holding.digest) : recent(held, retention))
      kept.add(`${name}@${digest}`);
    for (const { digest, from, until } of held) {
      const version = `${name}@${digest}`;
      const last = until ?? from;
      if ((lastHeld.get(version) ?? "") < last) lastHeld.set(version, last);
    }
  }
  const away = versionEntries(index).filter(({ name, descriptor }) => !kept.has(`${name}@${descriptor.digest}`));
  return away.map(({ name, descriptor: { digest } }) => ({
    name,
    digest,
    last_held: lastHeld.get(`${name}@${digest}`) ?? null,
  }));
}

/** The present version, the `keep` others that were held last, and all that were left within the days; the days alone where the alias was taken away. */
function recent(held: readonly Holding[], { keep, olderThanDays, now }: Retention): Set<string> {
  const kept = new Set<string>();
  const cutoff = now.getTime() - olderThanDays * DAY_MS;
  const most = held.at(-1)?.until === null ? keep + 1 : 0;
  for (const { digest, until } of [...held].reverse())
    if (until === null || kept.size < most || Date.parse(until) >= cutoff) kept.add(digest);
  return kept;
}
