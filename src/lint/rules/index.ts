// The table of all rules, in the order of the report. A new rule is one entry here.
import type { Rule } from "../rule.js";
import * as activation from "./activation.js";
import * as architecture from "./architecture.js";
import * as card from "./card.js";
import * as fields from "./config-fields.js";
import * as code from "./custom-code.js";
import * as files from "./files.js";
import * as external from "./graph-external.js";
import * as form from "./graph-form.js";
import * as place from "./graph-place.js";
import * as versions from "./graph-versions.js";
import * as forms from "./json-forms.js";
import * as labels from "./labels.js";
import * as lengths from "./lengths.js";
import { modelIndex } from "./model-index.js";
import * as types from "./model-types.js";
import * as saved from "./sentence-transformers.js";
import * as shards from "./shards.js";
import * as tables from "./tables.js";
import * as tokenizer from "./tokenizer.js";
import * as weights from "./weights.js";

export const RULES: readonly Rule[] = [
  files.pointerFile,
  files.emptyFile,
  files.danglingLink,
  forms.jsonBroken,
  architecture.configMissing,
  architecture.architectureMissing,
  architecture.notASequenceClassifier,
  architecture.decoderTemplate,
  architecture.modularHead,
  types.modelTypeMissing,
  types.candleType,
  types.transformersJsType,
  types.vllmArchitecture,
  types.modernBertNames,
  code.customCode,
  labels.labelsMissing,
  labels.label2idMissing,
  labels.notOneLabel,
  labels.headRowsDiffer,
  forms.configTypes,
  fields.hiddenSizeMissing,
  fields.layersMissing,
  fields.positionsMissing,
  fields.padTokenIdMissing,
  fields.bertFieldsMissing,
  types.positionEmbedding,
  tokenizer.tokenizerMissing,
  tokenizer.tokenizerClassOfFive,
  tokenizer.normalizerRebuilt,
  tokenizer.padTokenUnnamed,
  tokenizer.pairTemplateMissing,
  tokenizer.tokenizerLeftovers,
  tables.specialIdOutside,
  tables.vocabularyTooLarge,
  tables.vocabSizeDiffers,
  tables.positionRowsDiffer,
  lengths.lengthFileWithout,
  lengths.lengthFileTooLong,
  lengths.tokenizerLimitMissing,
  lengths.tokenizerLimitTooLong,
  lengths.cutsTooLate,
  lengths.warmUp,
  saved.otherKind,
  saved.taskMissing,
  forms.promptsNotTexts,
  activation.legacyActivation,
  activation.activationIsNot,
  activation.activationMissing,
  weights.weightsMissing,
  weights.pickleOnly,
  weights.weightsBroken,
  shards.shardMissing,
  shards.shardUnlisted,
  weights.headMissing,
  weights.prefixUnknown,
  weights.weightsType,
  weights.pickleBeside,
  place.weightsUnread,
  place.graphMissing,
  place.graphElsewhere,
  place.graphBroken,
  place.graphTooLarge,
  place.graphUnread,
  external.externalPath,
  external.externalMissing,
  external.externalLink,
  external.externalName,
  external.externalKey,
  external.externalKeyTooWide,
  form.inputMissing,
  form.positionIds,
  form.unknownInput,
  form.inputType,
  form.fixedShape,
  form.outputName,
  form.outputType,
  form.outputColumns,
  versions.irTooNew,
  versions.opsetTooNew,
  versions.foreignOperators,
  versions.dynamicQuantization,
  place.rootGraph,
  place.twoQuantized,
  place.int8Unreachable,
  versions.contribOperators,
  code.pythonFiles,
  files.leavingLink,
  files.caseCollision,
  card.cardBroken,
  card.licenseRestricted,
  card.datasetsNull,
  modelIndex,
  card.pipelineTag,
  card.libraryName,
  card.baseModel,
  card.licenseMissing,
  card.cardMissing,
];
