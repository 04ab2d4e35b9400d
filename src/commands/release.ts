// `publish … --to TARGET`: a version of the registry goes to another place; plan first, then yes or no, then the bytes.
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { destinationOf, type Release, type ReleasePlan } from "../destinations/index.js";
import { interrupted, RerankTuneError } from "../errors.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { columns } from "../ui/table.js";
import { wrapText } from "../ui/wrap.js";
import type { CommandContext, RunFlags } from "./context.js";
import { openLocal } from "./local-registry.js";
import type { RunData } from "./result.js";
import { runRecipe } from "./run.js";

export interface ReleaseFlags {
  to?: string;
  yes?: boolean;
  dryRun?: boolean;
}

type Flags = RunFlags & ReleaseFlags & { to: string; json?: boolean; quiet?: boolean };

/**
 * @param source a recipe, which is brought as far as the registry first, or a version that is there: `name`, `name:alias`, `name@sha256:…`.
 * @throws RerankTuneError USAGE when nobody can be asked and --yes is not given; those of the destination.
 */
export async function release(source: string, flags: Flags, context: CommandContext): Promise<Renderable> {
  const destination = await destinationOf(flags.to);
  const reference = await referenceOf(source, flags, context);
  if (typeof reference !== "string") return reference.unfinished;
  const registry = await openLocal(flags);
  const { signal, emit } = context;
  const versionsOf = async (name: string) => {
    const model = (await registry.list()).find((listed) => listed.name === name);
    return await Promise.all((model?.versions ?? []).map(({ digest }) => registry.frozen(`${name}@${digest}`)));
  };
  const place = { variables: process.env, signal, emit, now: () => new Date(), versionsOf };
  const prepared = await destination.prepare(flags.to, await registry.frozen(reference), place);
  const { plan } = prepared;
  if (flags.dryRun === true)
    return { data: { plan }, essential: plan.target, text: (_, columns) => planText(plan, columns) };
  await confirm(plan, flags, signal);
  const released = await prepared.carryOut();
  return { data: { plan, release: released }, essential: released.address, text: () => releaseText(released) };
}

/** A file is a recipe; anything else names a version. A recipe whose run failed has nothing to release, nor has one that was only planned. */
async function referenceOf(
  source: string,
  flags: Flags,
  context: CommandContext,
): Promise<string | { unfinished: Renderable }> {
  const found = source === "-" ? true : (await stat(source).catch(() => undefined))?.isFile() === true;
  if (!found && !/\.ya?ml$/.test(source)) return source;
  const ran = await runRecipe(source, "publish", flags, context);
  if (flags.dryRun === true) return { unfinished: ran };
  const version = ran.failure === undefined ? (ran.data as RunData).version : null;
  return version ?? { unfinished: ran };
}

function planText({ target, version, steps, bytes, notes }: ReleasePlan, width?: number): string {
  const rows = steps.map(({ does, bytes: sent }, at) => [`${at + 1}`, does, sent === undefined ? "" : size(sent)]);
  return [
    `${version}\nto ${target}, at most ${size(bytes)}`,
    "",
    columns(rows, [1]).join("\n"),
    ...notes.map((note) => wrapText(`note  ${note}`, width, 6)),
  ].join("\n");
}

function releaseText({ address, revision, files, bytes_sent, use }: Release): string {
  const facts = `released  ${address}\nrevision  ${revision}\nsent      ${files} files, ${size(bytes_sent)}`;
  return [facts, "", "exactly this version, whatever moves later:", ...use.map((command) => `  ${command}`)].join("\n");
}

async function confirm(plan: ReleasePlan, flags: Flags, signal: AbortSignal): Promise<void> {
  if (flags.yes === true) return;
  const askable = process.stdin.isTTY === true && process.stderr.isTTY === true && flags.json !== true;
  const refused = (message: string) =>
    new RerankTuneError({
      code: "USAGE",
      message,
      hint: "add --yes, or --dry-run to see the plan only",
      data: { plan },
    });
  if (!askable) throw refused(`Nobody can be asked whether to release to ${plan.target}.`);
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await questions.question(`${planText(plan, process.stderr.columns)}\n\nRelease? [y/N] `, { signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw refused("Nothing was released.");
  } catch (error) {
    throw signal.aborted ? interrupted(signal, "nothing was released; run the same command again") : error;
  } finally {
    questions.close();
  }
}
