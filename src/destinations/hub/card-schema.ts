// The front matter that a reranker's card must have before it is sent; the Hub checks the rest itself. Pure.
import { parseDocument } from "yaml";
import { z } from "zod";
import type { Problem } from "../../errors.js";

const REPOSITORY = z.string().regex(/^[\w.-]+\/[\w.-]+$/, "is no org/name");
const words = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** Hub documentation, model-cards and its model-index; only what is true may be there, and nothing may be null. */
const frontMatterSchema = z.looseObject({
  pipeline_tag: z.literal("text-ranking"),
  library_name: z.string().min(1),
  license: words,
  tags: z.array(z.string().min(1)).min(1),
  language: words.optional(),
  datasets: z.array(z.string().min(1)).min(1).optional(),
  metrics: z.array(z.string().min(1)).min(1).optional(),
  base_model: z.union([REPOSITORY, z.array(REPOSITORY).min(1)]).optional(),
  base_model_relation: z.enum(["finetune", "quantized", "adapter", "merge"]).optional(),
  new_version: REPOSITORY.optional(),
  "model-index": z
    .array(
      z.object({
        name: z.string().min(1),
        results: z.array(
          z.object({
            task: z.looseObject({ type: z.literal("text-ranking") }),
            dataset: z.looseObject({
              type: z.string().min(1),
              name: z.string().min(1),
              config: z.string().optional(),
            }),
            metrics: z.array(z.looseObject({ type: z.string().min(1), value: z.number() })).min(1),
          }),
        ),
      }),
    )
    .optional(),
});

const FENCE = /^---\r?\n([\s\S]*?)\r?\n---(?:\r?\n|$)/;

/** @returns the text between the fences, and the rest; undefined without front matter. */
export function splitCard(card: string): { yaml: string; body: string } | undefined {
  const found = FENCE.exec(card);
  return found === null ? undefined : { yaml: found[1] ?? "", body: card.slice(found[0].length) };
}

/** Every reason why the Hub, or whoever searches there, would stumble over the card. */
export function cardProblems(card: string): Problem[] {
  const file = "README.md";
  const split = splitCard(card);
  if (split === undefined) return [{ file, message: "has no front matter" }];
  const document = parseDocument(split.yaml);
  const [broken] = document.errors;
  if (broken !== undefined)
    return [{ file, line: (broken.linePos?.[0].line ?? 1) + 1, message: "has front matter that is no YAML" }];
  const read = frontMatterSchema.safeParse(document.toJS());
  if (read.success) return [];
  return read.error.issues.map(({ path, message }) => ({ file, path: path.join("."), message }));
}

/** The card with `new_version`, everything else as it was. @returns undefined when it says so already. */
export function withNewVersion(card: string, repo: string): string | undefined {
  const split = splitCard(card);
  const document = parseDocument(split?.yaml ?? "");
  if (document.errors.length > 0) return undefined;
  if (document.get("new_version") === repo) return undefined;
  if (document.contents === null) document.contents = document.createNode({}) as unknown as typeof document.contents;
  document.set("new_version", repo);
  return `---\n${document.toString({ lineWidth: 0 }).trimEnd()}\n---\n${split?.body ?? `\n${card}`}`;
}
