// Changes of small files as rules propose them: members of a JSON file, fields of a card's front matter. Everything else keeps its text.
import { parseDocument as parseYaml } from "yaml";
import { withMembers } from "../model-folder/json-text.js";
import { type FolderFacts, objectIn } from "./facts.js";
import type { Edit } from "./rule.js";

/** Members of a JSON object set, or removed where undefined; undefined when the file is there and holds no object. */
export function setMembers(facts: FolderFacts, file: string, changes: Record<string, unknown>): Edit | undefined {
  if (!facts.files.has(file)) return { file, text: withMembers("{}", changes) };
  if (objectIn(facts, file) === undefined) return undefined;
  return { file, text: withMembers(facts.texts.get(file) ?? "{}", changes) };
}

const FRONT_MATTER = /^---\r?\n([\s\S]*?)\r?\n---[ \t]*(?:\r?\n|$)/;

export type FrontMatter = { fields: Record<string, unknown> } | { problem: string; line: number } | { absent: true };

/** What the card says of the model to the Hub. */
export function frontMatter(card: string): FrontMatter {
  const block = FRONT_MATTER.exec(card)?.[1];
  if (block === undefined) return { absent: true };
  const document = parseYaml(block, { prettyErrors: false });
  const [problem] = document.errors;
  if (problem !== undefined) {
    // The fence is line 1.
    const line = block.slice(0, problem.pos[0]).split("\n").length + 1;
    return { problem: problem.code, line };
  }
  const fields: unknown = document.toJS();
  if (fields === null) return { fields: {} };
  if (typeof fields !== "object" || Array.isArray(fields)) return { problem: "is no list of fields", line: 2 };
  return { fields: fields as Record<string, unknown> };
}

/** A field of the front matter set, or removed where undefined; comments and order stay. */
export function setCardField(facts: FolderFacts, name: string, value: string | undefined): Edit | undefined {
  const card = facts.texts.get("README.md");
  const found = card === undefined ? null : FRONT_MATTER.exec(card);
  if (card === undefined || !found) return undefined;
  const document = parseYaml(found[1] ?? "");
  if (document.errors.length > 0) return undefined;
  if (value === undefined) document.delete(name);
  else document.set(name, value);
  return { file: "README.md", text: `---\n${document.toString()}---\n${card.slice(found[0].length)}` };
}

/** For `Found`: an edit only when there is one. */
export const withEdit = (edit: Edit | undefined): { edit?: Edit } => (edit === undefined ? {} : { edit });
