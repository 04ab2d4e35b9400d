// What a trimmed tokenizer no longer knows: characters by script that were pieces and are unknown now.
import type { TrimReport } from "./schema.js";
import type { Trimming } from "./unseen.js";

/** Scripts that are told apart; the rest is `other`. */
const SCRIPTS = [
  "Latin",
  "Greek",
  "Cyrillic",
  "Armenian",
  "Hebrew",
  "Arabic",
  "Devanagari",
  "Bengali",
  "Tamil",
  "Thai",
  "Georgian",
  "Ethiopic",
  "Hangul",
  "Hiragana",
  "Katakana",
  "Han",
] as const;

type ScriptCoverage = TrimReport["letters"][number];

/** Letters end here for our purpose: the planes beyond hold historic scripts and rare ideographs. */
const LAST = 0xffff;

export function lostLetters({ before, after, unknown }: Trimming): ScriptCoverage[] {
  const counts = new Map<string, ScriptCoverage>();
  for (let code = 0x41; code <= LAST; code++) {
    const letter = String.fromCharCode(code);
    if (!/\p{L}/u.test(letter) || before.encode(letter).includes(unknown.before)) continue;
    const script = SCRIPTS.find((_, index) => EXPRESSIONS[index]?.test(letter)) ?? "other";
    const count = counts.get(script) ?? { script, known: 0, lost: 0 };
    counts.set(script, count);
    count.known += 1;
    if (after.encode(letter).includes(unknown.after)) count.lost += 1;
  }
  return [...counts.values()].sort((left, right) => right.known - left.known);
}

const EXPRESSIONS = SCRIPTS.map((script) => new RegExp(`\\p{Script=${script}}`, "u"));
