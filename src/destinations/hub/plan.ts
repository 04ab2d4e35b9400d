// What a release to the Hub will do, in sentences for whoever must say yes. Pure but for small files that git names by content.
import { VARIANT_FILES } from "../../model-folder/layout.js";
import type { FrozenVersion } from "../../registry/index.js";
import type { ReleasePlan, ReleaseStep } from "../destination.js";
import type { Order } from "./carry-out.js";
import { differenceOf, digestOf, type Leg } from "./legs.js";
import type { Survey } from "./survey.js";

/** @param warnings what the Hub says of the card without refusing it. */
export async function planOf(
  order: Order,
  version: FrozenVersion,
  survey: Survey,
  warnings: readonly string[],
): Promise<ReleasePlan> {
  const { target, legs, written, newCard } = order;
  const visibility = target.public ? "public" : "private";
  const stored = new Set([...survey.trees.values()].flatMap((tree) => [...tree.values()].map(({ sha256 }) => sha256)));
  const steps: ReleaseStep[] = [];
  const notes = [...survey.notes, `${target.repo} is ${survey.exists ? visibility : `made ${visibility}`}`];
  if (!survey.exists) steps.push({ does: `create the ${visibility} repository ${target.repo}` });
  let bytes = 0;
  for (const leg of legs) {
    const { send, remove } = await differenceOf(survey.trees.get(leg.branch) ?? new Map(), leg.version.files);
    const leaving = send.filter(({ sha256 }) => !stored.has(sha256));
    for (const { sha256 } of leaving) stored.add(sha256);
    const size = leaving.reduce((sum, file) => sum + file.bytes, 0);
    bytes += size;
    steps.push(...legSteps(leg, survey, send.length, remove.length, size));
    if (remove.length > 0) notes.push(`taken away from ${leg.branch}: ${named(remove)}`);
  }
  if (newCard !== undefined) steps.push({ does: `set new_version in the card of ${target.replaces}` });
  if (!target.public && bytes > 0) notes.push("the hub tells no quota; a full one shows before the first byte");
  notes.push(...twinNotes(order, version, survey), ...warnings.map((warning) => `the hub on the card: ${warning}`));
  return { target: written, version: version.version, steps: steps.length > 0 ? steps : [NOTHING], bytes, notes };
}

const NOTHING: ReleaseStep = { does: "nothing to send: it is released already; read it back and compare" };

function legSteps(leg: Leg, survey: Survey, sent: number, removed: number, bytes: number): ReleaseStep[] {
  const { branch, tag } = leg;
  const change = [sent > 0 ? `${sent} files` : "", removed > 0 ? `${removed} taken away` : ""].filter(
    (part) => part !== "",
  );
  const commit =
    change.length === 0 ? [] : [{ does: `commit to ${branch}: ${change.join(", ")}, then read back`, bytes }];
  return survey.references.tags.has(tag) ? commit : [...commit, { does: `tag ${tag}` }];
}

/** A user of TEI looks for int8 in vain, or finds an old one: said before, not found out after. */
function twinNotes({ legs }: Order, version: FrozenVersion, survey: Survey): string[] {
  if (legs.some(({ branch }) => branch === "int8")) return [];
  const old = survey.trees.has("int8") ? ["branch int8 stays as it is, from a release before"] : [];
  if (digestOf(version, VARIANT_FILES.int8) === undefined) return old;
  return [...old, `no branch int8: no ${version.name}-int8 in the registry has this int8 graph`];
}

function named(paths: readonly string[]): string {
  const shown = paths.slice(0, 10).join(", ");
  return paths.length > 10 ? `${shown} and ${paths.length - 10} more` : shown;
}
