// `validate`: checks a recipe's form, all problems at once. Looks at neither data nor base.
import { validateRecipe } from "../recipe/load.js";
import type { Renderable } from "../ui/output.js";

export async function validate(path: string, overrides: string[]): Promise<Renderable> {
  const recipe = await validateRecipe(path, overrides);
  return {
    data: { valid: true, recipe },
    essential: recipe.name,
    text: () => `${path} is a valid recipe: ${recipe.name}`,
  };
}
