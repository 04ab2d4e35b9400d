// `trim`: a base model without the pieces that a corpus never uses, and the proof that its texts are cut as before.
import { resolve } from "node:path";
import type { Keep } from "../tokenization/trim.js";
import { type TrimReport, trimModel } from "../trim/index.js";
import type { Paint } from "../ui/colors.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { shellWord } from "../ui/shell-word.js";
import { columns } from "../ui/table.js";
import { wrapText } from "../ui/wrap.js";
import { type CommandContext, displayPath, programName } from "./context.js";

export interface TrimFlags {
  corpus: string[];
  keep: Keep;
  out: string;
}

/** @throws RerankTuneError those of `trimModel`. */
export async function trim(model: string, flags: TrimFlags, { signal, emit }: CommandContext): Promise<Renderable> {
  const out = resolve(flags.out);
  const report = await trimModel({
    model: resolve(model),
    corpus: flags.corpus.map((file) => resolve(file)),
    out,
    keep: flags.keep,
    signal,
    emit,
  });
  const program = await programName();
  return { data: { ...report, out }, essential: out, text: (paint) => trimText(report, out, program, paint) };
}

const count = (value: number): string => value.toLocaleString("en-US");
const WIDTH = 80;

function trimText(report: TrimReport, out: string, program: string, paint: Paint): string {
  const { pieces, weights, texts, tokens, letters, left_out } = report;
  const rows = [
    ["", "before", "after"],
    ["pieces", count(pieces.before), count(pieces.after)],
    ["model.safetensors", size(weights.before), size(weights.after)],
  ];
  const lost = letters.filter((script) => script.lost > 0);
  const unknown = lost.map(({ script, lost: missing, known }) => `${script} ${count(missing)} of ${count(known)}`);
  return [
    columns(rows).join("\n"),
    "",
    wrapText(
      `proven    ${count(texts)} texts, ${count(tokens)} tokens: the same pieces as before, in every text`,
      WIDTH,
      10,
    ),
    wrapText(
      unknown.length === 0
        ? "letters   every letter that was known is known"
        : `letters   unknown now: ${unknown.join(", ")}; texts lose these`,
      WIDTH,
      10,
    ),
    ...(left_out.length === 0 ? [] : [`left out  ${left_out.join(", ")} (the old vocabulary in other forms)`]),
    `model     ${displayPath(out)}`,
    "",
    `${paint("bold", "next")}\n  ${program} init recipe.yaml --data my-pairs.jsonl --base ${shellWord(displayPath(out))}`,
  ].join("\n");
}
