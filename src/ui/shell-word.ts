// Commands for people to copy: each argument so that a shell takes it for one word.

/** As a shell takes it for one word. */
export function shellWord(word: string): string {
  return /^[\w.,:=@%+/\\-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
