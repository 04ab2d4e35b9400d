// What a server says may repeat what it was sent: tokens and signed addresses are cut out before anybody reads it. Pure.

/** Tokens of the Hub, JSON web tokens, bearer headers, and the query of an address, which may be a signature. */
const SECRETS: readonly [RegExp, string][] = [
  [/\bhf_[A-Za-z0-9_.-]{6,}/g, "[token]"],
  [/\beyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]+){0,2}/g, "[token]"],
  [/\bBearer\s+\S+/gi, "Bearer [token]"],
  [/(https?:\/\/[^\s?#"']+)\?[^\s"']*/g, "$1"],
];
const LONGEST = 300;

/** One line of at most 300 characters without anything that opens a door. */
export function withoutSecrets(text: string, token?: string): string {
  const bare = token === undefined ? text : text.replaceAll(token, "[token]");
  const clean = SECRETS.reduce((said, [pattern, put]) => said.replace(pattern, put), bare);
  const line = clean.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
