import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { StageEvent } from "../../../../src/events.js";
import { prepare } from "../../../../src/stages/prepare/index.js";
import { prepareSchema } from "../../../../src/stages/prepare/schema.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

const TOKENIZERS = join(import.meta.dirname, "../../../fixtures/tokenizers.json");

/** Forty queries of two languages; the German ones have passages of 60 tokens. */
async function sourceIn(folder: string): Promise<string> {
  const rows = Array.from({ length: 80 }, (_, index) => {
    const query = index >> 1;
    const lang = query < 20 ? "de" : "en";
    const passage = `${query} ${"a ".repeat(lang === "de" ? 60 : 3)}${index % 2 === 0 ? "b" : "c"}`;
    return JSON.stringify({ query: `case ${query}`, passage, label: index % 2, lang });
  });
  const source = join(folder, "pairs.jsonl");
  await writeFile(source, `${rows.join("\n")}\n`);
  return source;
}

test("prepare records and says which side is cut, by language", async () => {
  const outDir = await temporaryFolder();
  const tokenizer = join(outDir, "tokenizer.json");
  const { kinds } = JSON.parse(await readFile(TOKENIZERS, "utf8")) as { kinds: { tokenizer: unknown }[] };
  await writeFile(tokenizer, JSON.stringify(kinds[0]?.tokenizer));
  const section = prepareSchema.parse({ source: await sourceIn(outDir), negatives: { from: "judged", random: 0 } });
  const events: StageEvent[] = [];
  await prepare.run(
    {
      outDir,
      resuming: false,
      signal: new AbortController().signal,
      emit: (event: StageEvent) => events.push(event),
      python: () => Promise.reject(new Error("prepare needs no Python")),
      now: () => new Date(0),
    },
    { ...section, tokenizer, max_length: 32 },
    {},
  );

  const { lengths } = JSON.parse(await readFile(join(outDir, "records/report.json"), "utf8"));
  expect(lengths).toMatchObject({
    max_length: 32,
    cut: {
      query: 0,
      languages: { de: { either: 1, query: 0, passage: 1 }, en: { either: 0, query: 0, passage: 0 } },
    },
  });
  expect(lengths.cut.languages.de.pairs + lengths.cut.languages.en.pairs).toBe(lengths.pairs);
  const said = events.flatMap((event) => (event.type === "note" ? [event.message] : []));
  const [sides] = said.filter((message) => message.includes("of pairs cut at 32; on the passage's side"));
  expect(sides).toContain("on the query's 0.0 %");
  expect(sides).toMatch(/de 100\.0 %/);
  expect(sides).toMatch(/en 0\.0 %/);
});
