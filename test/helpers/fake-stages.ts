// Small stages that count their runs, to test the pipeline without models.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ResolvedRecipe, Stage, ToolVersions } from "../../src/pipeline/stage.js";

export const VERSIONS: ToolVersions = {
  rerank_tune: "0",
  node: "20",
  onnxruntime_node: "1",
  tokenizers_js: "1",
  python_lock: "a",
  host: "test",
};

/** prepare copies a file, train writes its options, export joins both. Only what the pipeline looks at is filled. */
export function fakeRecipe(source: string, changes: { epochs?: number; name?: string } = {}): ResolvedRecipe {
  return {
    name: changes.name ?? "demo",
    prepare: { source },
    train: { epochs: changes.epochs ?? 1 },
  } as unknown as ResolvedRecipe;
}

export function fakeStages(
  runs: string[],
  changes: Partial<Record<"prepare" | "train" | "export", Partial<Stage>>> = {},
): Stage[] {
  const base = { version: 1, sources: () => [], tools: () => ({}) };
  const prepare: Stage = {
    ...base,
    name: "prepare",
    needs: [],
    options: (recipe) => ({ source: recipe.prepare.source }),
    sources: (options) => [{ name: "prepare.source", path: (options as { source: string }).source }],
    run: async (context, options) => {
      runs.push("prepare");
      await writeFile(
        join(context.outDir, "data.txt"),
        (await readFile((options as { source: string }).source, "utf8")).trim(),
      );
      await writeFile(join(context.outDir, "clock.txt"), "");
      return { lines: 1 };
    },
    ...changes.prepare,
  };
  const train: Stage = {
    ...base,
    name: "train",
    needs: ["prepare"],
    options: (recipe) => ({ epochs: recipe.train.epochs }),
    tools: ({ python_lock }) => ({ python_lock }),
    run: async (context, options) => {
      runs.push("train");
      await writeFile(join(context.outDir, "model.txt"), JSON.stringify(options));
      return {};
    },
    ...changes.train,
  };
  const exportStage: Stage = {
    ...base,
    name: "export",
    needs: ["prepare", "train"],
    options: () => ({}),
    run: async (context, _options, inputs) => {
      runs.push("export");
      await writeFile(
        join(context.outDir, "graph.txt"),
        await readFile(join(inputs.train?.dir ?? "", "model.txt"), "utf8"),
      );
      return {};
    },
    ...changes.export,
  };
  return [prepare, train, exportStage];
}
