// The recipe's schema for editors: generated, never written by hand; a test compares the committed file.
import { z } from "zod";
import { recipeSchema } from "./schema.js";

/** JSON Schema (draft 2020-12) of what a user may write, as the text of recipes/recipe.schema.json. */
export function recipeJsonSchema(): string {
  const schema = z.toJSONSchema(recipeSchema, { io: "input" });
  return `${JSON.stringify({ title: "rerank-tune recipe", ...schema }, null, 2)}\n`;
}
