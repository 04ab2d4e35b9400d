// `trim`: a base model without the pieces that a corpus never uses, and the proof that its texts are cut as before.
import { resolve } from "node:path";
import type { Keep } from "../tokenization/trim.js";
import { type Texts, type TrimReport, trimModel, type UnseenReport } from "../trim/index.js";
import { textsOf } from "../trim/texts.js";
import type { Paint } from "../ui/colors.js";
import { size } from "../ui/format.js";
import type { Renderable } from "../ui/output.js";
import { shellWord } from "../ui/shell-word.js";
import { columns } from "../ui/table.js";
import { wrapText } from "../ui/wrap.js";
import { type CommandContext, displayPath, programName } from "./context.js";

export interface TrimFlags {
  corpus?: string[];
  languages?: string[];
  check?: string[];
  keep: Keep;
  out: string;
}

/** @throws RerankTuneError those of `trimModel`. */
export async function trim(model: string, flags: TrimFlags, { signal, emit }: CommandContext): Promise<Renderable> {
  const out = resolve(flags.out);
  const report = await trimModel({
    model: resolve(model),
    ...(flags.corpus === undefined ? {} : { corpus: textsIn(flags.corpus) }),
    ...(flags.check === undefined ? {} : { check: textsIn(flags.check) }),
    languages: flags.languages ?? [],
    out,
    keep: flags.keep,
    signal,
    emit,
  });
  const program = await programName();
  return { data: { ...report, out }, essential: out, text: (paint) => trimText(report, out, program, paint) };
}

const textsIn =
  (files: readonly string[]): Texts =>
  () =>
    textsOf(files.map((file) => resolve(file)));

const count = (value: number): string => value.toLocaleString("en-US");
const WIDTH = 80;

function trimText(report: TrimReport, out: string, program: string, paint: Paint): string {
  const { pieces, weights, left_out } = report;
  const rows = [
    ["", "before", "after"],
    ["pieces", count(pieces.before), count(pieces.after)],
    ["weights", size(weights.before), size(weights.after)],
  ];
  return [
    columns(rows).join("\n"),
    "",
    ...sentences(report).map((sentence) => wrapText(sentence, WIDTH, 10)),
    ...(left_out.length === 0 ? [] : [`left out  ${left_out.join(", ")} (the old vocabulary in other forms)`]),
    `model     ${displayPath(out)}`,
    "",
    `${paint("bold", "next")}\n  ${program} init recipe.yaml --data my-pairs.jsonl --base ${shellWord(displayPath(out))}`,
  ].join("\n");
}

function sentences({ texts, tokens, languages, letters, unseen }: TrimReport): string[] {
  const lost = letters.filter((script) => script.lost > 0);
  const unknown = lost.map(({ script, lost: missing, known }) => `${script} ${count(missing)} of ${count(known)}`);
  return [
    ...(texts === 0
      ? []
      : [`proven    ${count(texts)} texts, ${count(tokens)} tokens: the same pieces as before, in every text`]),
    ...(languages.length === 0
      ? []
      : [`languages ${languages.join(", ")}: texts of these letters alone are cut as before, new ones too`]),
    ...(unseen === null ? [] : [`unseen    ${unseenText(unseen)}`]),
    unknown.length === 0
      ? "letters   every letter that was known is known"
      : `letters   unknown now: ${unknown.join(", ")}; texts lose these`,
  ];
}

function unseenText({ texts, cut_otherwise, tokens, more_unknown }: UnseenReport): string {
  if (texts === 0) return "no texts in the files of --check";
  const more = tokens.before === 0 ? 0 : (100 * (tokens.after - tokens.before)) / tokens.before;
  const lost = more_unknown === 0 ? "none with more unknowns" : `${count(more_unknown)} with more unknowns`;
  return `${count(cut_otherwise)} of ${count(texts)} texts (${((100 * cut_otherwise) / texts).toFixed(1)} %) are cut otherwise, ${lost}; ${count(tokens.before)} tokens became ${count(tokens.after)} (${more < 0 ? "" : "+"}${more.toFixed(1)} %)`;
}
