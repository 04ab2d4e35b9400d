// What was measured when the tuned weights were mixed with the base's: dev and guard sets, share by share.
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { jsonOf } from "../../artifacts/json-value.js";
import type { Artifact } from "../../artifacts/store.js";
import type { Mixture, Sweep } from "../data.js";
import { checkedFile } from "./artifacts.js";

const SWEEP_FILE = "records/interpolation.json";

const mixtureSchema = z.object({
  alpha: z.number(),
  "dev_ndcg@10": z.number(),
  guards: z.record(z.string(), z.number()),
});
const sweepSchema = z.object({
  queries: z.int(),
  guard_max_drop: z.number(),
  base: mixtureSchema,
  mixtures: z.array(mixtureSchema.extend({ within_guards: z.boolean() })),
  chosen: z.number(),
});

/** @returns null where nothing was mixed, and for a record of another form. @throws RerankTuneError ARTIFACT_CORRUPT. */
export async function collectSweep(train: Artifact): Promise<Sweep | null> {
  const file = await checkedFile(train, SWEEP_FILE);
  if (file === undefined) return null;
  const found = sweepSchema.safeParse(jsonOf(await readFile(file, "utf8"))).data;
  if (found === undefined) return null;
  const { queries, guard_max_drop, base, mixtures, chosen } = found;
  // A guard set can be called after a client: only its place is kept, which is that of verify's report, in the order of its files.
  const names = Object.keys(base.guards).sort((left, right) => (`${left}.jsonl` < `${right}.jsonl` ? -1 : 1));
  const all = [{ ...base, within_guards: true }, ...mixtures].map((mixture): Mixture => {
    const { alpha, "dev_ndcg@10": dev_ndcg, guards, within_guards } = mixture;
    return { alpha, dev_ndcg, guards: names.map((name) => guards[name] ?? Number.NaN), within_guards };
  });
  if (all.some(({ guards }) => guards.some(Number.isNaN))) return null;
  return { queries, guard_max_drop, mixtures: all.sort(byAlpha), chosen_alpha: chosen };
}

const byAlpha = (left: Mixture, right: Mixture): number => left.alpha - right.alpha;
