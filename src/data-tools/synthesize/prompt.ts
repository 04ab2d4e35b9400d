// What a language model is asked for: the template with its places filled in. Nothing here is sent.
import { readFile } from "node:fs/promises";
import { hashText } from "../../artifacts/hash.js";
import { dataNotFound } from "../../dataset/findings.js";
import { RerankTuneError } from "../../errors.js";

/** Its digest is the provenance of every query: to change a word is to change the prompt. */
const BUILT_IN = `You write search queries. Below is a passage from a collection of documents.
Write {count} different search queries that this passage answers, as a person would type them who is looking for the information and has never seen the passage.
- Ask about what is specific to the passage, in your own words. Do not copy its sentences.
- Each query must be clear by itself: never mention "the passage", "the text" or "the author".
- {language}
- One query a line. No numbering, no quotes, no explanation.

Passage:
{passage}`;

/** Some 2,000 tokens: servers with a short context cut the beginning off in silence, which holds the instructions. */
const LONGEST_PASSAGE = 6000;

export interface Prompt {
  /** sha256 of the template, hex. */
  digest: string;
  /** The message for one passage. */
  about(passage: string): string;
}

/**
 * @param file template of the person's own; the built-in one when undefined.
 * @throws RerankTuneError DATA_NOT_FOUND; USAGE when the template has no {passage} or the language is unknown.
 */
export async function loadPrompt(file: string | undefined, count: number, language: string): Promise<Prompt> {
  const template = file === undefined ? BUILT_IN : await readTemplate(file);
  const places: Record<string, string> = { count: String(count), language: languageRule(language) };
  return {
    digest: hashText(template),
    // One pass, so that braces inside the passage stay what they are.
    about: (passage) =>
      template.replace(/\{(passage|count|language)\}/g, (_, name: string) => places[name] ?? shortened(passage)),
  };
}

async function readTemplate(file: string): Promise<string> {
  const template = await readFile(file, "utf8").catch(() => {
    throw dataNotFound(
      `The prompt ${file} cannot be read.`,
      "correct --prompt, or leave it out for the built-in prompt",
    );
  });
  if (template.includes("{passage}")) return template;
  throw new RerankTuneError({
    code: "USAGE",
    message: `${file} has no place {passage}.`,
    hint: "write {passage} where the passage belongs; {count} and {language} may stand in it too",
  });
}

function languageRule(language: string): string {
  if (language === "auto") return "Write in the language of the passage.";
  return `Write in ${languageName(language)}, whatever the language of the passage.`;
}

/** English name of a language code (BCP 47). @throws RerankTuneError USAGE. */
export function languageName(code: string): string {
  try {
    const name = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" }).of(code);
    if (name !== undefined) return name;
  } catch {
    // not even the form of a code
  }
  throw new RerankTuneError({
    code: "USAGE",
    message: `--language ${code} is no language code.`,
    hint: "such as --language de, or --language auto for the language of each passage",
  });
}

/** Cut at a space, where there is one. */
function shortened(passage: string): string {
  if (passage.length <= LONGEST_PASSAGE) return passage;
  const cut = passage.slice(0, LONGEST_PASSAGE).replace(/[\uD800-\uDBFF]$/, ""); // not half a character
  const space = cut.lastIndexOf(" ");
  return space > LONGEST_PASSAGE / 2 ? cut.slice(0, space) : cut;
}
