// Tells the language of a text by its script and its function words. A heuristic: silent when in doubt, no model, no dependency.

/** Texts are looked at up to here. */
const CHARACTERS = 2000;
/** Function words that must be found, and their least share of all words. */
const FEWEST_HITS = 3;
const LEAST_SHARE = 0.1;
/** The best language needs this many times the hits of the second: related languages share words, which count for each. */
const LEAD = 1.5;

/** Scripts other than Latin name the language group; kana before Han, since Japanese uses both. */
const SCRIPTS: readonly [name: string, letters: RegExp][] = [
  ["cyrillic", /\p{Script=Cyrillic}/gu],
  ["greek", /\p{Script=Greek}/gu],
  ["arabic", /\p{Script=Arabic}/gu],
  ["hebrew", /\p{Script=Hebrew}/gu],
  ["japanese", /[\p{Script=Hiragana}\p{Script=Katakana}]/gu],
  ["korean", /\p{Script=Hangul}/gu],
  ["chinese", /\p{Script=Han}/gu],
  ["devanagari", /\p{Script=Devanagari}/gu],
  ["thai", /\p{Script=Thai}/gu],
];

/** The most frequent articles, pronouns, prepositions and auxiliaries. */
const FUNCTION_WORDS: Readonly<Record<string, string>> = {
  en: "the of and to is that for with are was this be by not from which what how an or it as have can a in on at has will per do does when who if no my me i his he we you your their been were than",
  de: "der die das und ist nicht ein eine einer zu den von mit für auf dem des im sich auch wird bei oder wie werden was in an es ich er sie wer wenn sind hat kann welche welcher welches einem einen zum zur aus nach man um",
  fr: "le la les des et est une dans pour que qui du sur avec pas par au sont ou ce aux comment il l d de en un à a on se ne vous nous je mon ma mes son sa ses votre quel quelle quels quelles peut qu n s elle être faire plus dois peux ai mais quand",
  it: "il di che la un una per non è con del della sono le gli dei nel alla come si da lo l i e in a al ai dal dalla delle degli ha quale quali cosa quando chi dove qual cui nella stato stata anni anche fu era su",
  es: "el los las de que y en un una por con para del se es como su al lo más la no a qué cuál quién cómo dónde cuándo fue era son sus o le ha entre",
  pt: "o os as de que e em um uma por com para do da não se é como dos na no ao a à das nos nas foi qual quem são mais ou seu sua",
  nl: "de het een van en is dat op te zijn met voor niet aan er door bij ook wordt of in die wat hoe welke om als naar dan kan worden hij ze",
};
const LANGUAGES_OF = new Map<string, string[]>();
for (const [language, words] of Object.entries(FUNCTION_WORDS))
  for (const word of words.split(" ")) LANGUAGES_OF.set(word, [...(LANGUAGES_OF.get(word) ?? []), language]);

/** @returns an ISO 639-1 code for Latin script, the name of another script, or undefined when in doubt. */
export function languageOf(text: string): string | undefined {
  const start = text.slice(0, CHARACTERS);
  const letters = start.match(/\p{L}/gu)?.length ?? 0;
  if (letters === 0) return undefined;
  for (const [name, script] of SCRIPTS) {
    const found = start.match(script)?.length ?? 0;
    // A few kana settle it; other scripts must be most of the text.
    if (found > (name === "japanese" ? 0.1 : 0.5) * letters) return name;
  }
  return latinLanguage(start.toLowerCase().match(/\p{L}+/gu) ?? []);
}

function latinLanguage(words: readonly string[]): string | undefined {
  const hits = new Map<string, number>();
  for (const word of words)
    for (const language of LANGUAGES_OF.get(word) ?? []) hits.set(language, (hits.get(language) ?? 0) + 1);
  const [best, second] = [...hits].sort((left, right) => right[1] - left[1]);
  if (best === undefined || best[1] < FEWEST_HITS || best[1] < LEAST_SHARE * words.length) return undefined;
  return best[1] >= LEAD * (second?.[1] ?? 0) ? best[0] : undefined;
}
