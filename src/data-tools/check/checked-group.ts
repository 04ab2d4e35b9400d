// A group as the rules see it: with base scores, with what a run found beside, and with its near-duplicates when asked for.
import { NEAR_DUPLICATE_SIMILARITY } from "../../dataset/near-duplicates.js";
import { WordSets } from "../../dataset/word-sets.js";
import type { JudgedGroup } from "../reading/judged-group.js";
import type { CheckedGroup, CheckedPassage } from "./rule.js";
import type { RunTable } from "./run-table.js";
import type { ScoreTable } from "./score-table.js";

export function checkedGroup(
  group: JudgedGroup,
  scores: ScoreTable | undefined,
  run: RunTable | undefined,
): CheckedGroup {
  const scoreOf = (passageId: string): { score?: number } => {
    const score = scores?.find(group.query.id, passageId);
    return score === undefined ? {} : { score };
  };
  const passages = group.passages.map((row) => ({ ...row, ...scoreOf(row.id) }));
  const judged = new Set(passages.map(({ id }) => id));
  const unjudged = (run?.rowsOf(group.number) ?? []).filter(({ passageId }) => !judged.has(passageId));
  const mined = unjudged.map(({ passageId, line }) => ({ file: run?.file ?? "", line, ...scoreOf(passageId) }));
  let alike: CheckedPair[] | undefined;
  return {
    ...group,
    passages,
    mined,
    alike: () => {
      alike ??= similarPairs(passages);
      return alike;
    },
  };
}

type CheckedPair = readonly [CheckedPassage, CheckedPassage];

function similarPairs(passages: readonly CheckedPassage[]): CheckedPair[] {
  const pairs: CheckedPair[] = [];
  if (passages.length < 2) return pairs;
  const sets = new WordSets();
  for (const { text } of passages) sets.add(text);
  sets.eachSimilar(NEAR_DUPLICATE_SIMILARITY, (earlier, later) =>
    pairs.push([passages[earlier] as CheckedPassage, passages[later] as CheckedPassage]),
  );
  return pairs;
}
