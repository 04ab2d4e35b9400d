// Small JSON files that a model folder may lack, read for what they happen to tell.
import { readFile } from "node:fs/promises";
import { isObject, type JsonObject, jsonOf } from "../artifacts/json-value.js";

/** An absent or damaged file, or one that holds no object, says nothing: who needs it names it. */
export async function readHints(path: string): Promise<JsonObject> {
  const value = jsonOf(await readFile(path, "utf8").catch(() => ""));
  return isObject(value) ? value : {};
}
