// The table of all rules, in the order of the report. A new rule is one entry here.
import type { Rule } from "../rule.js";
import { contradictingLabels, duplicatePair, oneClassData, oneClassGroup } from "./labels.js";
import { languageDiffers, mixedLanguages } from "./languages.js";
import { contradictingNearDuplicate, nearDuplicatePassage, nearDuplicateQuery } from "./near-duplicates.js";
import { adjustedValue, emptyText, unknownRunQuery, unreadableRow, unusedField } from "./rows.js";
import { flippedLabels, likelyFalseNegative, lowProbabilities, nothingToLearn, rankedAgainstLabels } from "./scores.js";
import { nearDuplicateAcrossSplits, partlySplit, queryInTwoSplits } from "./splits.js";
import { invisibleCharacter, mojibake, overLongText, replacementCharacter } from "./texts.js";
import { cutByMaxLength, cutShare } from "./truncation.js";

export const RULES: readonly Rule[] = [
  unreadableRow,
  oneClassData,
  contradictingLabels,
  queryInTwoSplits,
  partlySplit,
  replacementCharacter,
  flippedLabels,
  emptyText,
  duplicatePair,
  contradictingNearDuplicate,
  nearDuplicateAcrossSplits,
  likelyFalseNegative,
  nothingToLearn,
  mojibake,
  invisibleCharacter,
  overLongText,
  oneClassGroup,
  nearDuplicateQuery,
  nearDuplicatePassage,
  rankedAgainstLabels,
  lowProbabilities,
  cutByMaxLength,
  cutShare,
  mixedLanguages,
  languageDiffers,
  adjustedValue,
  unusedField,
  unknownRunQuery,
];
