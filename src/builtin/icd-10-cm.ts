// Turns the ICD-10-CM tabular list (XML of the US National Center for Health Statistics, public domain) into a BEIR folder. Downloads nothing.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { XMLParser } from "fast-xml-parser";
import { terms } from "../dataset/text.js";
import { RerankTuneError } from "../errors.js";

/** Raise it when the task changes: the built folder's name holds it. */
export const TASK_VERSION = 1;

/** A code as the XML nests it; each `diag` holds the codes below it. */
interface Diagnosis {
  name: string;
  desc: string;
  inclusionTerm?: { note?: (string | { "#text": string })[] }[];
  diag?: Diagnosis[];
}

export interface Code {
  code: string;
  description: string;
  /** Its own description, then those of its ancestors up to the three-character category. */
  passage: string;
  terms: string[];
}

export interface Term {
  text: string;
  /** Every code that lists the term; all of them are relevant. */
  codes: string[];
}

/**
 * All codes in the order of the tabular list.
 * @throws RerankTuneError DATA_INVALID when the text is not a tabular list.
 */
export function readTabularList(xml: string): Code[] {
  const codes: Code[] = [];
  for (const chapter of parse(xml)["ICD10CM.tabular"]?.chapter ?? [])
    for (const section of chapter.section ?? [])
      for (const diagnosis of section.diag ?? []) collect(diagnosis, [], codes);
  if (codes.length === 0) throw notTabular("holds no codes");
  return codes;
}

interface TabularList {
  "ICD10CM.tabular"?: { chapter?: { section?: { diag?: Diagnosis[] }[] }[] };
}

function parse(xml: string): TabularList {
  const parser = new XMLParser({
    isArray: (name) => ["chapter", "section", "diag", "inclusionTerm", "note"].includes(name),
    parseTagValue: false,
    ignoreAttributes: true,
    htmlEntities: true,
  });
  try {
    return parser.parse(xml, true) as TabularList;
  } catch (error) {
    throw notTabular(`is not well formed (${(error as Error).message})`, error);
  }
}

function notTabular(what: string, cause?: unknown): RerankTuneError {
  return new RerankTuneError({
    code: "DATA_INVALID",
    message: `The ICD-10-CM tabular list ${what}.`,
    hint: "give icd10c-tabular-*.xml, or the wheel of simple-icd-10-cm==1.5.0, with `--data PATH`",
    cause,
  });
}

function collect(diagnosis: Diagnosis, ancestors: readonly string[], codes: Code[]): void {
  const descriptions = [diagnosis.desc.trim(), ...ancestors];
  const notes = (diagnosis.inclusionTerm ?? []).flatMap(({ note = [] }) => note);
  codes.push({
    code: diagnosis.name.trim(),
    description: diagnosis.desc.trim(),
    passage: withoutRepetition(descriptions).join("; "),
    terms: notes.map((note) => (typeof note === "string" ? note : note["#text"]).trim()).filter((text) => text !== ""),
  });
  for (const child of diagnosis.diag ?? []) collect(child, descriptions, codes);
}

/** Leaves out an ancestor all of whose words were said already: most descriptions repeat their parent's, and tokens cost time. */
function withoutRepetition(descriptions: readonly string[]): string[] {
  const said = new Set<string>();
  return descriptions.filter((description) => {
    const words = terms(description);
    const adds = words.some((word) => !said.has(word));
    for (const word of words) said.add(word);
    return adds;
  });
}

/**
 * The queries: every inclusion term once. A term equal to some code's own description says nothing new (or names another
 * code), so it is left out.
 */
export function inclusionTerms(codes: readonly Code[]): Term[] {
  const descriptions = new Set(codes.map(({ description }) => key(description)));
  const byText = new Map<string, Term>();
  for (const { code, terms: own } of codes)
    for (const text of own) {
      if (descriptions.has(key(text))) continue;
      const term = byText.get(key(text)) ?? { text, codes: [] };
      if (!term.codes.includes(code)) term.codes.push(code);
      byText.set(key(text), term);
    }
  return [...byText.values()];
}

const key = (text: string): string => terms(text).join(" ");

/** Writes corpus.jsonl, queries.jsonl and qrels/all.tsv. The codes are the queries' group keys: all terms of a code stay on one side. */
export async function writeBeir(codes: readonly Code[], folder: string): Promise<void> {
  const queries = inclusionTerms(codes);
  const id = (index: number): string => `t${index + 1}`;
  const judgements = queries.flatMap(({ codes: relevant }, index) =>
    relevant.map((code) => `${id(index)}\t${code}\t1`),
  );
  await mkdir(join(folder, "qrels"), { recursive: true });
  await writeFile(
    join(folder, "corpus.jsonl"),
    jsonLines(codes.map(({ code, passage }) => ({ _id: code, text: passage }))),
  );
  await writeFile(
    join(folder, "queries.jsonl"),
    jsonLines(queries.map(({ text, codes: group }, index) => ({ _id: id(index), text, group }))),
  );
  await writeFile(join(folder, "qrels", "all.tsv"), `query-id\tcorpus-id\tscore\n${judgements.join("\n")}\n`);
}

function jsonLines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}
