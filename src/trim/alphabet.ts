// The letters of a language, as the Unicode Consortium's CLDR lists them: its exemplar characters, in the package cldr-misc-full.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { RerankTuneError } from "../errors.js";

const PACKAGE = "cldr-misc-full";
const require = createRequire(import.meta.url);

/** Version of the lists, since another one can keep other pieces. */
export function exemplarVersion(): string {
  return (JSON.parse(readFileSync(require.resolve(`${PACKAGE}/package.json`), "utf8")) as { version: string }).version;
}

/** Whether `lettersOf` knows a language tag such as `de`, `pt-BR` or `zh-Hant`. */
export function isKnownLanguage(tag: string): boolean {
  return exemplarFile(tag) !== undefined;
}

/**
 * Letters and marks of languages, small and capital. Those that CLDR calls auxiliary (é in German) are not among them.
 * @throws RerankTuneError USAGE for a tag that CLDR has no letters for.
 */
export function lettersOf(languages: readonly string[]): Set<string> {
  const alphabets = languages.map(exemplarsOf);
  const letters = new Set<string>();
  // Beyond the third plane nothing is assigned that a language is written with.
  for (let code = 0; code <= 0x3ffff; code++) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    if (alphabets.some((alphabet) => alphabet.test(character))) letters.add(character);
  }
  return letters;
}

/** A set such as `[aä b c {ch} α-ω]` (UTS 35, "Unicode Sets"); of a sequence in braces all characters count. */
function exemplarsOf(tag: string): RegExp {
  const file = exemplarFile(tag);
  if (file === undefined) throw unknownLanguage(tag);
  const { main } = JSON.parse(readFileSync(file, "utf8")) as {
    main: Record<string, { characters: { exemplarCharacters: string } }>;
  };
  const set = Object.values(main)[0]?.characters.exemplarCharacters ?? "[]";
  return new RegExp(`^${set.replace(/(?<!\\)[ {}]/g, "")}$`, "vi");
}

/** The file of the tag itself, or of its language in its usual script, or of its language. */
function exemplarFile(tag: string): string | undefined {
  // Resolved by itself, so that a damaged installation is not taken for an unknown language.
  const folder = dirname(require.resolve(`${PACKAGE}/package.json`));
  return namesOf(tag)
    .map((name) => join(folder, "main", name, "characters.json"))
    .find((path) => existsSync(path));
}

function namesOf(tag: string): string[] {
  try {
    const locale = new Intl.Locale(tag);
    const { language, script } = locale.maximize();
    return [locale.baseName, `${language}-${script}`, ...(isOtherScript(language, script) ? [] : [language])];
  } catch {
    return []; // no well-formed tag
  }
}

/** `sr-Latn` must not get the letters of `sr`, which is written in Cyrillic. */
function isOtherScript(language: string, script: string | undefined): boolean {
  return new Intl.Locale(language).maximize().script !== script;
}

function unknownLanguage(tag: string): RerankTuneError {
  return new RerankTuneError({
    code: "USAGE",
    message: `The letters of the language ${JSON.stringify(tag)} are not known.`,
    hint: "give tags such as de, en, fr, it, pt-BR, zh-Hant: `--languages de en`",
  });
}
