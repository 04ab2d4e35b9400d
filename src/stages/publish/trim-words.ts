// What the card says of a trimmed vocabulary: how it was made, and what it means for other texts. Pure.
import type { PackageManifest } from "../../model-folder/layout.js";
import { type TrimReport, trimReportSchema } from "../../trim/schema.js";

/** @returns undefined where the base kept its vocabulary. */
export function trimOf(manifest: PackageManifest): TrimReport | undefined {
  return trimReportSchema.safeParse(manifest.training.trim).data;
}

export function smallerVocabulary({ pieces, texts, languages }: TrimReport): string {
  const letters = languages.length === 0 ? "" : ` or the letters of ${languages.join(", ")}`;
  return `The base's vocabulary was cut from ${count(pieces.before)} to ${count(pieces.after)} pieces before training, to those that its texts${letters} need. ${count(texts)} texts are proven to be cut into the same pieces as by the base.`;
}

/** For the limitations. */
export function otherTexts({ unseen, letters }: TrimReport): string {
  const lost = letters.filter((script) => script.lost > 0).map(({ script }) => script);
  const measured =
    unseen === null || unseen.texts === 0
      ? []
      : [
          `Of ${count(unseen.texts)} texts that a vocabulary was not cut to, ${count(unseen.cut_otherwise)} were cut otherwise; their ${count(unseen.tokens.before)} tokens became ${count(unseen.tokens.after)}.`,
        ];
  const unknown =
    lost.length === 0 ? [] : [`Letters of these scripts are unknown to it, some or all: ${lost.join(", ")}.`];
  const first =
    "Its vocabulary is smaller than the base's: texts unlike the data can be cut into other, mostly shorter pieces.";
  return [first, ...measured, ...unknown].join(" ");
}

const count = (value: number): string => value.toLocaleString("en-US");
