// The commands that measure and show: `eval`, `report`. Only their words and flags; the work is loaded when it is called.
import { type Command, Option } from "commander";
import type { OutputFlags } from "../ui/output.js";
import type { EvaluateFlags } from "./evaluate.js";
import { positiveInteger, VARIANTS, withPlaces, withSet } from "./flags.js";
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
