// Reads ms-swift's reranker rows: messages holds the query, positive_messages and negative_messages hold one conversation a passage.
import type { Place } from "../findings.js";
import type { LabelledData } from "../labelled.js";
import { addQueryText, countUnused, judgeSide, QUERY_DETAILS, requireOneOf } from "./entries.js";
import { readJsonRows } from "./rows.js";

const SIDES = [
  ["positive_messages", 1],
  ["negative_messages", 0],
] as const;
const ROW = [...QUERY_DETAILS, "messages", "positive_messages", "negative_messages"];

/** System messages have no place in a query-passage pair; they are counted as left out. */
export async function readMsSwift(path: string, data: LabelledData): Promise<void> {
  for await (const { line, values } of readJsonRows(path, data.findings)) {
    const place = { file: path, line };
    countUnused(data, values, ROW);
    const query = addQueryText(data, place, values, contentOf(data, place, "messages", values.messages));
    requireOneOf(data, place, values, ["positive_messages", "negative_messages"]);
    for (const [name, label] of SIDES) {
      const list = values[name] ?? [];
      // A conversation that cannot be used was named by `contentOf`; only what is no list at all is left to `judgeSide`.
      const texts = Array.isArray(list)
        ? list.map((value) => contentOf(data, place, name, value)).filter((text) => text !== undefined)
        : list;
      judgeSide(data, query, place, { name, texts, label });
    }
  }
}

/** The text of the one message that is not a system message; a single message need not stand in a list. */
function contentOf(data: LabelledData, place: Place, name: string, value: unknown): string | undefined {
  const messages = (Array.isArray(value) ? value : [value]).map((message) => message as Record<string, unknown> | null);
  const spoken = messages.filter((message) => message?.role !== "system");
  const text = spoken[0]?.content;
  if (spoken.length !== 1 || typeof text !== "string") {
    data.findings.fatal.add({
      ...place,
      path: name,
      message:
        spoken.length > 1
          ? `\`${name}\` holds a conversation of ${spoken.length} messages, not one`
          : `\`${name}\` holds no message with a text as \`content\``,
      hint: 'write [{"role": "user", "content": "..."}] for the query and one such list for every passage',
    });
    return undefined;
  }
  if (text.trim() === "") {
    data.findings.empty.add({ ...place, path: name, message: `\`${name}\` holds an empty text; it is left out` });
    return undefined;
  }
  if (messages.length > spoken.length)
    data.adjusted.add({ ...place, path: name, message: "a system message is left out" });
  return text.trim();
}
