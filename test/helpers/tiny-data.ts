// Labelled pairs about invented topics, made by a seeded rule, so that a tiny model can learn them in seconds.
import { writeFile } from "node:fs/promises";

const TOPICS = [
  "lease",
  "appeal",
  "pneumonia",
  "invoice",
  "router",
  "visa",
  "fracture",
  "audit",
  "patent",
  "vaccine",
] as const;
const ASPECTS = ["deadline", "cost", "form", "risk", "duty", "refund"] as const;
const NOISE = [
  "in general",
  "for members",
  "since last year",
  "in most cases",
  "as a rule",
  "under the contract",
] as const;

/** `queries` queries with one relevant and `negatives` irrelevant passages each, as JSONL of query, passage, label. */
export async function writeTinyPairs(path: string, queries = 60, negatives = 7): Promise<void> {
  const rows: string[] = [];
  for (let index = 0; index < queries; index++) {
    const topic = TOPICS[index % TOPICS.length];
    const aspect = ASPECTS[Math.floor(index / TOPICS.length) % ASPECTS.length];
    const query = `what is the ${aspect} of case ${index} on the ${topic}?`;
    rows.push(
      row(query, `The ${aspect} of the ${topic} ${NOISE[index % NOISE.length]} is stated in section ${index}.`, 1),
    );
    for (let other = 1; other <= negatives; other++) {
      const wrong = TOPICS[(index + other) % TOPICS.length];
      rows.push(
        row(
          query,
          `The ${ASPECTS[(index + other) % ASPECTS.length]} of the ${wrong} ${NOISE[other % NOISE.length]} is stated in section ${index * 10 + other}.`,
          0,
        ),
      );
    }
  }
  await writeFile(path, `${rows.join("\n")}\n`);
}

function row(query: string, passage: string, label: number): string {
  return JSON.stringify({ query, passage, label });
}
