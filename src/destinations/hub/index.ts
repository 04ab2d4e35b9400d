// `--to hub:org/name`: a version of the registry becomes a release on a Hugging Face Hub. It exists when its tag does.
import { type Problem, RerankTuneError } from "../../errors.js";
import { checkedContent } from "../../hub/frozen-bytes.js";
import { openWriter } from "../../hub/open-writer.js";
import { type HubWriter, WRITE_PATIENCE } from "../../hub/patient-fetch.js";
import { releaseFailure } from "../../hub/release-failures.js";
import { validateCard } from "../../hub/write-calls.js";
import { MODEL_FILES } from "../../model-folder/layout.js";
import type { FrozenVersion } from "../../registry/index.js";
import type { Destination, DestinationContext, PreparedRelease } from "../destination.js";
import { cardProblems } from "./card-schema.js";
import { carryOut, type Order } from "./carry-out.js";
import { fileProblems } from "./check-files.js";
import { type Leg, twinOf } from "./legs.js";
import { planOf } from "./plan.js";
import { supersededCard, surveyOf } from "./survey.js";
import { FORM, type HubTarget, readTarget, tagOf } from "./target.js";

/** @param patience shortened by tests. */
export function hubDestination(patience = WRITE_PATIENCE): Destination {
  return {
    scheme: "hub",
    form: FORM,
    description: "a repository of a Hugging Face Hub; private unless ,public",
    prepare: async (written, version, context) => await prepare(written, version, context, patience),
  };
}

/** @throws RerankTuneError USAGE, RELEASE_REFUSED, HUB_UNAUTHORIZED, RELEASE_FAILED; nothing was written then. */
async function prepare(
  written: string,
  version: FrozenVersion,
  context: DestinationContext,
  patience: typeof WRITE_PATIENCE,
): Promise<PreparedRelease> {
  const target = readTarget(written);
  const { variables, signal, emit } = context;
  const legs = legsOf(target, version, (await context.versionsOf?.(`${version.name}-int8`)) ?? []);
  const cards = await refuseUnfit(legs, version);
  const onPause = (message: string) => emit({ type: "note", message });
  const { hub, publisherOf } = await openWriter(variables, signal, onPause, patience);
  try {
    const survey = await surveyOf(hub, target, publisherOf, legs);
    const warnings: string[] = [];
    for (const card of cards) warnings.push(...(await refuseCard(hub, card)));
    const newCard = await supersededCard(hub, target);
    const planned = legs.map((leg) => withHead(leg, survey.references.branches.get(leg.branch)));
    const order: Order = {
      written,
      target,
      legs: planned,
      exists: survey.exists,
      ...(newCard === undefined ? {} : { newCard }),
    };
    return {
      plan: await planOf(order, version, survey, warnings),
      carryOut: async () => await carryOut(hub, order, emit),
    };
  } catch (error) {
    throw releaseFailure(error, hub, `looking at ${target.repo}`);
  }
}

/** int8 first: whoever finds the release on main finds its twin, too. */
function legsOf(target: HubTarget, version: FrozenVersion, others: readonly FrozenVersion[]): Leg[] {
  const tag = target.tag ?? tagOf(version.digest);
  const twin = twinOf(version, others);
  const first: Leg[] = twin === undefined ? [] : [{ branch: "int8", tag: `${tag}-int8`, version: twin }];
  return [...first, { branch: "main", tag, version }];
}

const withHead = (leg: Leg, head: string | undefined): Leg => (head === undefined ? leg : { ...leg, planned: head });

/** Everything that this machine can find out alone. @returns the cards: that of the version, and of its twin where it has one. */
async function refuseUnfit(legs: readonly Leg[], version: FrozenVersion): Promise<string[]> {
  const problems: Problem[] = [];
  const cards: string[] = [];
  for (const leg of legs) {
    const found = await fileProblems(leg.version.files);
    const card = leg.version.files.find(({ path }) => path === MODEL_FILES.card);
    if (card === undefined && leg.branch === "main") found.push({ file: MODEL_FILES.card, message: "is missing" });
    if (card !== undefined && found.length === 0) {
      cards.push((await checkedContent(card)).toString());
      found.push(...cardProblems(cards.at(-1) ?? ""));
    }
    problems.push(...found.map((problem) => (leg.branch === "main" ? problem : ofTwin(problem, leg))));
  }
  if (problems.length > 0) throw unfit(version, problems);
  return cards;
}

const ofTwin = ({ file, ...problem }: Problem, { branch, version }: Leg): Problem => ({
  ...problem,
  file: `${branch}, ${version.name}: ${file ?? ""}`,
});

/** The Hub makes this check at the commit, too, when gigabytes have gone up. */
async function refuseCard(hub: HubWriter, card: string): Promise<string[]> {
  const { errors, warnings } = await validateCard(hub, card);
  if (errors.length === 0) return warnings;
  throw new RerankTuneError({
    code: "RELEASE_REFUSED",
    message: "The hub refuses the card's front matter; nothing was sent.",
    hint: "correct `package` in the recipe and publish again",
    problems: errors.map((message) => ({ file: MODEL_FILES.card, message })),
  });
}

function unfit({ version }: FrozenVersion, problems: Problem[]): RerankTuneError {
  const count = problems.length === 1 ? "one thing" : `${problems.length} things`;
  return new RerankTuneError({
    code: "RELEASE_REFUSED",
    message: `${version} may not leave: ${count} in its files ${problems.length === 1 ? "forbids" : "forbid"} it; nothing was sent.`,
    hint: "correct the recipe and publish again; a version that is there never changes",
    problems,
  });
}
