// Rules on languages, as far as the heuristic of dataset/languages.ts can tell them.
import { languageOf } from "../../../dataset/languages.js";
import { type Place, placeOf, type Rule } from "../rule.js";

/** A language of a smaller share is more likely a wrong guess than a part of the data. */
const LEAST_SHARE = 0.01;
const FEWEST_TEXTS = 5;

export const mixedLanguages: Rule = {
  name: "mixed_languages",
  severity: "note",
  about: "The data holds several languages. Fill in `lang`, so that quality is reported for each of them.",
  watch: (say) => {
    const found = new Map<string, { texts: number; first: Place }>();
    let told = 0;
    return {
      text: (text) => {
        const language = languageOf(text.text);
        if (language === undefined) return;
        told += 1;
        const known = found.get(language);
        if (known === undefined) found.set(language, { texts: 1, first: placeOf(text) });
        else known.texts += 1;
      },
      end: () => {
        const share = (texts: number): string => `${((100 * texts) / told).toFixed(1)} %`;
        const [most, ...others] = [...found].sort((left, right) => right[1].texts - left[1].texts);
        for (const [language, { texts, first }] of others)
          if (texts >= FEWEST_TEXTS && texts >= LEAST_SHARE * told)
            say(
              first,
              `${share(texts)} of the texts are ${language}, from here on; ${share(most?.[1].texts ?? 0)} are ${most?.[0]}`,
            );
      },
    };
  },
};

export const languageDiffers: Rule = {
  name: "language_differs",
  severity: "note",
  about: "The query is in another language than its relevant passages. Right where users search across languages.",
  watch: (say) => ({
    group: ({ query, passages }) => {
      const asked = languageOf(query.text);
      if (asked === undefined) return;
      const answers = passages.filter(({ label }) => label > 0).map(({ text }) => languageOf(text));
      const other = answers.find((language) => language !== undefined);
      if (other === undefined || answers.some((language) => language === asked || language === undefined)) return;
      say({ file: query.file, line: query.line, path: "query" }, `${asked} query, ${other} passages`);
    },
  }),
};
