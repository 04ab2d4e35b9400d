// The ladder of int8 graphs: what each rung is made of, how far its scores are off and how long a pair takes.

import type { Markup } from "../../page/markup.js";
import type { TeiRuntime } from "../../stages/quantize/schema.js";
import type { MeasuredOpenvino, MeasuredRung } from "../data.js";
import { table } from "./parts.js";

/** From cheap to dear, as quantize takes them; a manifest sorts its keys. */
const FORMS = ["static", "smoothed", "token", "block", "float32"];

/** Dearer rungs are tried only while the error asks for it. */
export function ladderTable(rungs: readonly MeasuredRung[]): Markup {
  const forms = FORMS.filter((form) => rungs.some((rung) => (rung.forms[form] ?? 0) > 0));
  const rows = rungs.map((rung, index) => [
    String(index + 1),
    ...forms.map((form) => String(rung.forms[form] ?? 0)),
    rung.tables,
    `${(100 * rung.error).toFixed(1)} %`,
    rung.milliseconds === null ? "" : `${rung.milliseconds.toFixed(1)} ms`,
    `${(rung.bytes / 1e6).toFixed(1)} MB`,
    rung.kept ? "kept" : "",
  ]);
  return table({
    caption:
      "int8 graphs tried, by the form of their matrix inputs; the error is the root mean square of the score differences over the scores' spread, the time that of one pair alone",
    shown: true,
    head: ["", ...forms, "tables", "score error", "a pair", "size", ""],
    rows,
    left: [forms.length + 1, forms.length + 5],
  });
}

/** Text Embeddings Inference does not compute with the newest runtime, and int8 operators round otherwise in an older one. */
export function teiRuntimeTable({ version, graphs }: TeiRuntime): Markup {
  const rows = graphs.map(({ name, relative_error, largest_difference }) => [
    name,
    `${(100 * relative_error).toFixed(1)} %`,
    largest_difference.toPrecision(2),
  ]);
  const caption = `The same graphs in ONNX Runtime ${version}, which Text Embeddings Inference embeds: score error against fp32 here, and the largest difference of a score to the same graph here`;
  return table({ caption, shown: true, head: ["graph", "score error", "largest difference"], rows });
}

/** Not published: a score that depends on its batch mates cannot be trusted with a threshold. */
export function openvinoTable({ version, rows }: MeasuredOpenvino): Markup {
  return table({
    caption: `The fp32 graph in OpenVINO ${version}, by the precision it computes in: score error against ONNX Runtime, how far a score moves with its batch, and the time of one pair alone`,
    shown: true,
    head: ["precision", "score error", "moved by its batch", "a pair"],
    rows: rows.map(({ precision, relative_error, moved_by_batch, milliseconds }) => [
      precision,
      `${(100 * relative_error).toFixed(1)} %`,
      moved_by_batch.toPrecision(2),
      milliseconds === null ? "" : `${milliseconds.toFixed(1)} ms`,
    ]),
  });
}
