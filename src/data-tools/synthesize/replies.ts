// Takes search queries out of what a chat model wrote. Small models number, quote and comment what they were told to write plainly.
import { z } from "zod";
import { normalisedKey, terms } from "../../dataset/text.js";

/** The part of an OpenAI-compatible chat reply that counts. */
export const chatReply = z.object({
  choices: z
    .array(z.object({ message: z.object({ content: z.unknown() }), finish_reason: z.string().nullish() }))
    .min(1),
});

/** What became of one reply. */
export interface ParsedReply {
  queries: string[];
  /** Queries copied out of the passage; they would teach nothing but equal words. */
  copied: number;
}

/** Longer lines are explanations. */
const LONGEST_QUERY = 300;
/** So many words in a row out of the passage are a copy, fewer may be a name. */
const COPIED_WORDS = 5;

/** At most `most` queries, in the order they were written. */
export function queriesOf(reply: z.infer<typeof chatReply>, passage: string, most: number): ParsedReply {
  const [choice] = reply.choices;
  const content = choice?.message.content;
  if (typeof content !== "string") return { queries: [], copied: 0 };
  const lines = linesOf(content, choice?.finish_reason === "length");
  const key = ` ${normalisedKey(passage)} `;
  const isCopy = (query: string): boolean =>
    terms(query).length >= COPIED_WORDS && key.includes(` ${normalisedKey(query)} `);
  const plain = [...new Set(lines)].slice(0, most);
  const queries = plain.filter((query) => !isCopy(query));
  return { queries, copied: plain.length - queries.length };
}

/** @param cut whether the reply ended before its end: its last line is then half a query. */
function linesOf(content: string, cut: boolean): string[] {
  // A thought that never ended leaves nothing to read.
  const spoken = content.replace(/<think>[\s\S]*?(<\/think>|$)/gi, "").trim();
  const listed = listIn(spoken);
  const lines = listed ?? spoken.split(/\r?\n/);
  if (cut && listed === undefined) lines.pop();
  return lines.map(plainLine).filter((line) => isQuery(line));
}

/** The texts of a JSON array, which some models prefer. */
function listIn(text: string): string[] | undefined {
  const bare = text.replace(/^```(?:json)?\s*|\s*```$/g, "");
  if (!bare.startsWith("[")) return undefined;
  try {
    const value: unknown = JSON.parse(bare);
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : undefined;
  } catch {
    return undefined;
  }
}

/** Without numbering, bullet, label and quotes. */
function plainLine(line: string): string {
  return line
    .trim()
    .replace(/^(?:[-*•–]|\(?\d{1,2}[.):])\s+/, "")
    .replace(/^(?:query|question|anfrage|frage)\s*\d*\s*:\s*/i, "")
    .replace(/^\*\*(.*)\*\*$/, "$1")
    .replace(/^["'«»„“”‚‘’]+(.*?)["'«»„“”‚‘’]+$/, "$1")
    .trim();
}

function isQuery(line: string): boolean {
  const heading = line.endsWith(":") || line.startsWith("```") || line.startsWith("#");
  return !heading && line.length <= LONGEST_QUERY && terms(line).length > 0 && Array.from(line).length >= 3;
}
