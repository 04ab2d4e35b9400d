// `validate`: checks a recipe's form, all problems at once, and its base where that is a folder of this machine. Looks at no data.
import { checkLocalBase, validateRecipe } from "../recipe/load.js";
import type { Renderable } from "../ui/output.js";

/** What is said of the base beside "valid recipe". */
const BASE_WORDS = {
  sound: "its base can be trained",
  absent: "its base is not on this machine",
  elsewhere: "its base is checked when it is fetched",
} as const;

export async function validate(path: string, overrides: string[]): Promise<Renderable> {
  const recipe = await validateRecipe(path, overrides);
  const base = await checkLocalBase(recipe, path);
  return {
    data: { valid: true, recipe, base },
    essential: recipe.name,
    text: () => `${path} is a valid recipe: ${recipe.name}; ${BASE_WORDS[base]}`,
  };
}
