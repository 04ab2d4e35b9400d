// The ordered seven; the only place that knows the order and the stages themselves.
import { exportStage } from "../stages/export/index.js";
import { packageStage } from "../stages/package/index.js";
import { prepare } from "../stages/prepare/index.js";
import { publish } from "../stages/publish/index.js";
import { quantize } from "../stages/quantize/index.js";
import { train } from "../stages/train/index.js";
import { verify } from "../stages/verify/index.js";
import { STAGE_NAMES, type Stage, type StageName } from "./stage.js";

/** A stage checks its own options and inputs; to the pipeline they are opaque. */
export const STAGES = [
  prepare,
  train,
  exportStage,
  quantize,
  packageStage,
  verify,
  publish,
] as unknown as readonly Stage[];

/** The stages that have to be there for `target`, in order. */
export function stagesUpTo(target: StageName, stages: readonly Stage[] = STAGES): readonly Stage[] {
  return stages.filter(({ name }) => STAGE_NAMES.indexOf(name) <= STAGE_NAMES.indexOf(target));
}
