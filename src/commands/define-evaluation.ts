// The commands that measure and show: `eval`, `folds`, `lint`, `report`. Only their words and flags; the work is loaded when it is called.
import { type Command, InvalidArgumentError, Option } from "commander";
import { CONSUMERS } from "../lint/rule.js";
import type { OutputFlags } from "../ui/output.js";
import type { EvaluateFlags } from "./evaluate.js";
import { positiveInteger, VARIANTS, withPlaces, withRunOptions, withSet } from "./flags.js";
import type { FoldsFlags } from "./folds-data.js";
import type { LintFlags } from "./lint.js";
import type { Perform } from "./perform.js";
import type { ReportFlags } from "./report.js";

export function defineEvaluationCommands(program: Command, perform: Perform): void {
  program
    .command("eval")
    .helpGroup("Evaluation:")
    .description("score a model folder on a BEIR split, beside its first stage")
    .requiredOption("--model <folder>", "a package of ours or a transformers folder")
    .requiredOption("--data <folder>", "BEIR folder, its files plain or .gz")
    .requiredOption("--split <name>", "judgements in qrels/<name>.tsv")
    .option("--run <file>", "TREC run of candidates (default: bm25.trec in the folder, else BM25)")
    .addOption(new Option("--variant <name>", "graph of a package").choices(VARIANTS))
    .option("--depth <n>", "candidates a query (default: the whole run; 100 for BM25)", positiveInteger)
    .option("--queries <n>", "measure on so many queries, drawn with a fixed seed", positiveInteger)
    .option("--max-length <n>", "tokens of a pair (default: the model's own)", positiveInteger)
    .option("--out <file>", "write the ranking as a TREC run")
    .action((_: unknown, command: Command) => {
      const flags = command.optsWithGlobals<EvaluateFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./evaluate.js")).evaluateModel(flags, context));
    });
  withRunOptions(program.command("folds"))
    .helpGroup("Evaluation:")
    .argument("<recipe>", "YAML file, or - for standard input")
    .description("train and judge over k folds, pooled: for fewer than 300 queries")
    .option("--folds <k>", "how many; every query is tested in one of them", positiveInteger, 5)
    .option("--ignore-split", "give up the split that the data brings")
    .action((recipe: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<FoldsFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./folds.js")).folds(recipe, flags, context));
    });
  defineLint(program, perform);
  withPlaces(withSet(program.command("report")))
    .helpGroup("Evaluation:")
    .argument("<recipe>", "YAML file, or - for standard input")
    .description("one HTML page on the newest training: verdict, curves, gains, scores, latency")
    .option("--out <file>", "where to write it (default: <artifacts>/<recipe>/report.html)")
    .action((recipe: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ReportFlags & OutputFlags>();
      return perform(flags, async () => (await import("./report.js")).report(recipe, flags));
    });
}

function defineLint(program: Command, perform: Perform): void {
  program
    .command("lint")
    .helpGroup("Evaluation:")
    .argument("<model>", "model folder, or owner/name[@revision] of the Hub")
    .description("which servers and libraries load a model as a reranker, with what limits, and what to change")
    .addOption(
      new Option("--for <consumer>", "who decides the exit code; repeatable (default: all)").argParser(oneConsumer),
    )
    .option("--fix", "write what follows from the folder itself; never weights or graphs")
    .action((model: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<LintFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./lint.js")).lint(model, flags, context));
    });
}

/** For `argParser`: adds one to those named before. @throws InvalidArgumentError for another. */
function oneConsumer(value: string, before: readonly string[] = []): string[] {
  if (!CONSUMERS.some((name) => name === value))
    throw new InvalidArgumentError(`It must be one of ${CONSUMERS.join(", ")}`);
  return [...before, value];
}
