// The `data` commands: tools for labelled data before a recipe runs. Only their words and flags; the work is loaded when it is called.
import { type Command, Option } from "commander";
import { SPLIT_WAYS } from "../data-tools/split/options.js";
import { DATA_FORMS, TARGET_FORMS } from "../dataset/forms.js";
import type { DevShare } from "../dataset/query-split.js";
import type { OutputFlags } from "../ui/output.js";
import type { DataCheckFlags } from "./data-check.js";
import type { DataImportFlags } from "./data-import.js";
import type { MineFlags } from "./data-mine.js";
import type { DataScoreFlags } from "./data-score.js";
import type { DataSplitFlags } from "./data-split.js";
import type { DataSynthesizeFlags } from "./data-synthesize.js";
import { EXAMPLES } from "./examples.js";
import { positiveInteger, VARIANTS } from "./flags.js";
import type { Perform } from "./perform.js";

export function defineDataCommands(program: Command, perform: Perform): void {
  const data = program.command("data").helpGroup("Data:").description("tools for labelled data");
  defineCheck(data, perform);
  defineImport(data, perform);
  defineMine(data, perform);
  defineScore(data, perform);
  defineSplit(data, perform);
  defineSynthesize(data, perform);
  for (const command of data.commands) {
    const example = EXAMPLES[`data ${command.name()}`];
    if (example !== undefined) command.addHelpText("after", `\nExample:\n  ${example}`);
  }
}

const devShare = (text: string): DevShare => (text === "auto" ? text : Number(text));

const formOption = () =>
  new Option("--format <form>", "form of the data").choices(["auto", ...DATA_FORMS]).default("auto");

function defineCheck(data: Command, perform: Perform): void {
  data
    .command("check")
    .argument("<path>", "labelled data: a file, a TREC or BEIR folder, or a folder with train, dev and test files")
    .description("find what is wrong with labelled data, with lines; exit code 3 on errors")
    .addOption(formOption())
    .option("--scores <file>", "base scores (query, passage, logit by tabs): compares labels with the base")
    .option("--run <file>", "TREC run: its unjudged passages are checked as negatives, with --scores")
    .option("--clean <file>", "write a cleaned copy as graded groups; rows left out are listed beside it")
    .option("--max-length <tokens>", "count tokens of pairs, with --model", positiveInteger)
    .option("--model <folder>", "model folder whose tokenizer counts")
    .action((path: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DataCheckFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./data-check.js")).dataCheck(path, flags, context));
    });
}

function defineSplit(data: Command, perform: Perform): void {
  data
    .command("split")
    .argument("<path>", "labelled data of any form")
    .description("split into train, dev and test, or folds; near-duplicate queries stay together")
    .requiredOption("--out <folder>", "new or empty folder")
    .addOption(formOption())
    .addOption(new Option("--by <way>", "what decides the side").choices([...SPLIT_WAYS]).default("query"))
    .addOption(
      new Option("--dev <share>", "share of queries, 0-1; auto: a tenth, more below 400 queries")
        .argParser(devShare)
        .default("auto"),
    )
    .addOption(new Option("--test <share>", "share of queries, 0-1").argParser(Number).default(0.15))
    .option("--time-field <name>", "field with the date, for --by time", "time")
    .option("--folds <n>", "k-fold, advised below 300 queries", positiveInteger)
    .addOption(new Option("--seed <n>", "seed of the split").argParser(positiveInteger).default(7))
    .action((path: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DataSplitFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./data-split.js")).dataSplit(path, flags, context));
    });
}

function defineImport(data: Command, perform: Perform): void {
  data
    .command("import")
    .argument("<path>", "labelled data: a file, or a TREC or BEIR folder")
    .description("turn labelled data of any form into graded groups or another form")
    .requiredOption("--out <path>", "JSONL file to write; a folder with --to beir")
    .addOption(new Option("--from <form>", "form of the data").choices(["auto", ...DATA_FORMS]).default("auto"))
    .addOption(new Option("--to <form>", "form to write").choices([...TARGET_FORMS]).default("groups"))
    .action((path: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DataImportFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./data-import.js")).dataImport(path, flags, context));
    });
}

function defineMine(data: Command, perform: Perform): void {
  data
    .command("mine")
    .argument("<path>", "labelled data: a file, or a TREC or BEIR folder")
    .description("find hard negatives in your corpus; judged passages stay as they are")
    .option("--corpus <file>", "JSONL of passages (_id, title, text), also .gz; a folder as <path> brings its own")
    .requiredOption("--out <file>", "JSONL of graded groups to write")
    .addOption(
      new Option("--from <ranker>", "who ranks the corpus (default: by what is given, else bm25)").choices([
        "bm25",
        "run",
        "embedding",
      ]),
    )
    .option("--run <file>", "TREC run of the production retriever")
    .option("--embedding-model <folder>", "ONNX embedding model: onnx/model.onnx and tokenizer.json")
    .addOption(
      new Option("--pooling <kind>", "default: what the model's folder says, else mean").choices(["mean", "cls"]),
    )
    .option("--query-prefix <text>", "written before every query, such as 'query: '")
    .option("--passage-prefix <text>", "written before every passage")
    .option("--embeddings <folder>", "keep the vectors of the corpus there for another run")
    .option("--ranks <first-last>", "window of ranks (default: 10-100)")
    .option("--per-query <n>", "negatives added a query, random ones among them (default: 15)")
    .option("--random <n>", "random ones among them (default: 2)")
    .option("--model <folder>", "reranker with onnx/model.onnx: tells likely positives from negatives")
    .option("--scores <file>", "its scores instead: query, passage, logit, separated by tabs")
    .option("--max-share <share>", "leave out from this share of the best positive's probability on (default: 0.95)")
    .option("--seed <n>", "seed of the random negatives (default: 7)")
    .option("--resume", "continue an interrupted run")
    .action((path: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<MineFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./data-mine.js")).dataMine(path, flags, context));
    });
}

/** Flags of the commands that ask a server of the person's. */
function withEndpoint(command: Command): Command {
  return command
    .option("--token-env <name>", "name of the environment variable that holds the server's token")
    .option("--allow-remote", "let texts be sent to a host outside this machine and its network")
    .option("--concurrency <n>", "requests under way at once (default: 4)")
    .option("--timeout <seconds>", "time for one reply (default: 120)")
    .option("--resume", "continue an interrupted run");
}

function defineScore(data: Command, perform: Perform): void {
  const command = data
    .command("score")
    .argument("<path>", "labelled data: a file, or a TREC or BEIR folder")
    .description("put the scores of a larger reranker on every passage, as soft labels")
    .requiredOption("--teacher <model>", "model folder, or address of a server such as http://localhost:8080")
    .option("--out <file>", "JSONL of graded groups to write, with the scores as teacher_score")
    .option("--scores <file>", "TSV to write for --scores of other commands: query, passage, logit")
    .addOption(formOption())
    .addOption(new Option("--variant <name>", "of a folder: which graph scores").choices(VARIANTS))
    .option("--max-length <n>", "of a folder: tokens of a pair (default: what the folder says)")
    .addOption(
      new Option("--api <name>", "of a server: its interface (default: rerank for /v1 and /v2, else tei)").choices([
        "tei",
        "rerank",
      ]),
    )
    .option("--teacher-model <name>", "of a server: the model's name, with --api rerank")
    .option("--to-logits", "of a server that gives probabilities: write their logits")
    .option("--batch <n>", "of a server: passages a request (default: 32)");
  withEndpoint(command).action((path: string, _: unknown, self: Command) => {
    const flags = self.optsWithGlobals<DataScoreFlags & OutputFlags>();
    return perform(flags, async (context) => (await import("./data-score.js")).dataScore(path, flags, context));
  });
}

function defineSynthesize(data: Command, perform: Perform): void {
  const command = data
    .command("synthesize")
    .argument("<path>", "passages: JSONL (_id, title, text), also .gz, or a BEIR folder")
    .description("let a language model that you run write training queries for unlabelled passages")
    .requiredOption("--endpoint <url>", "OpenAI-compatible server, such as http://localhost:11434/v1")
    .requiredOption("--model <name>", "the model's name on that server")
    .requiredOption("--out <file>", "JSONL of graded groups to write")
    .option("--count <n>", "passages to write queries for, drawn by the seed (default: 1000)")
    .option("--per-passage <n>", "queries for each (default: 1)")
    .option("--seed <n>", "seed of the drawing and of the model (default: 7)")
    .option("--language <code>", "auto for that of the passage, or a code such as de (default: auto)")
    .option("--prompt <file>", "prompt of your own with {passage}, {count} and {language}")
    .option("--temperature <t>", "always sent (default: 0.7)")
    .option("--max-tokens <n>", "of a reply, thinking included (default: 1024)")
    .option("--judge <folder>", "reranker: keep a query only if its passage ranks high for it")
    .addOption(new Option("--variant <name>", "which graph of the judge scores").choices(VARIANTS))
    .option("--keep-top <n>", "how high the passage must rank (default: 1)")
    .option("--depth <n>", "BM25 candidates that the judge ranks (default: 30)")
    .option("--avoid <path>", "labelled data whose queries are not to be repeated");
  withEndpoint(command).action((path: string, _: unknown, self: Command) => {
    const flags = self.optsWithGlobals<DataSynthesizeFlags & OutputFlags>();
    return perform(flags, async (context) =>
      (await import("./data-synthesize.js")).dataSynthesize(path, flags, context),
    );
  });
}
