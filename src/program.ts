// The command tree. Every action imports its command when it is called, so that `--help` loads nothing but this.
import { Command, Option } from "commander";
import type { RunFlags } from "./commands/context.js";
import { defineDataCommands } from "./commands/define-data.js";
import { defineEvaluationCommands } from "./commands/define-evaluation.js";
import { withSignature } from "./commands/define-evidence.js";
import { defineRegistryCommands } from "./commands/define-registry.js";
import type { DoctorFlags } from "./commands/doctor.js";
import type { EnvFlags } from "./commands/env.js";
import { withPlaces, withRunOptions, withSet } from "./commands/flags.js";
import type { InitFlags } from "./commands/init.js";
import type { Perform } from "./commands/perform.js";
import type { ReleaseFlags } from "./commands/release.js";
import type { TrimFlags } from "./commands/trim.js";
import type { StageName } from "./pipeline/stage.js";
import { KEEPS } from "./tokenization/trim.js";
import type { OutputFlags } from "./ui/output.js";

const STAGE_COMMANDS: readonly [StageName, string][] = [
  ["prepare", "read and check the labelled data, split it, find candidates and negatives"],
  ["train", "fine-tune the base model on the training split"],
  ["export", "write the tuned model as an fp32 ONNX graph with golden pairs"],
  ["quantize", "make the int8 and fp16 variants"],
  ["package", "lay out the frozen folder that consumers open"],
  ["verify", "prove the variants and measure them; also for a packaged FOLDER"],
  ["publish", "add the version to the local registry; with --to also to a Hub, an OCI registry or a mirror"],
];

const EXAMPLES = `
Examples:
  rerank-tune quickstart                         the whole job on embedded data
  rerank-tune init my.yaml --data pairs.jsonl    a recipe for your own pairs
  rerank-tune run my.yaml --dry-run              what would run, and why
  rerank-tune run my.yaml --set train.epochs=2   the whole job
  rerank-tune verify ./model                     prove it where it will serve`;

const EXIT_CODES = `
Exit codes:
  0 done or cached                 4 environment not ready
  1 unexpected failure             5 the Python worker or the scorer failed
  2 wrong usage, recipe or data    6 a download or the hub failed
  3 a gate was missed              130, 143 stopped by Ctrl-C, by SIGTERM

Documentation: docs/ in the package`;

/** @param version shown by --version. */
export function buildProgram(version: string, perform: Perform): Command {
  const program = new Command("rerank-tune")
    .description("Turns labelled query-passage pairs into a verified ONNX reranker in a local registry.")
    .version(version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .option("--json", "print exactly one JSON document on stdout")
    .option("-q, --quiet", "print the essential value only")
    .option("-v, --verbose", "print every metric instead of a progress line")
    .option("--debug", "print stack traces")
    .option("--no-color", "no colour")
    .option("--no-progress", "no progress on stderr")
    .addHelpText("after", `${EXAMPLES}\n${EXIT_CODES}`);
  addRunCommands(program, perform);
  addStageCommands(program, perform);
  addRecipeCommands(program, perform);
  defineDataCommands(program, perform);
  defineEvaluationCommands(program, perform);
  defineRegistryCommands(program, perform);
  addMachineCommands(program, perform);
  return program;
}

function addRunCommands(program: Command, perform: Perform): void {
  const group = "The whole job:";
  withRunOptions(program.command("run"))
    .helpGroup(group)
    .argument("<recipe>", "YAML file, or - for standard input")
    .description("run all stages of a recipe, reusing what is there")
    .action((recipe: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<RunFlags & OutputFlags>();
      return perform(flags, async (context) =>
        (await import("./commands/run.js")).runRecipe(recipe, "publish", flags, context),
      );
    });
  withRunOptions(program.command("quickstart"))
    .helpGroup(group)
    .description("run the whole job on an embedded medical-coding task, in about five minutes")
    .option("--base <path>", "folder of all-MiniLM-L6-v2, instead of fetching it")
    .option("--data <path>", "ICD-10-CM tabular list, instead of fetching it")
    .action((_: unknown, command: Command) => {
      const flags = command.optsWithGlobals<RunFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./commands/quickstart.js")).quickstart(flags, context));
    });
}

function addStageCommands(program: Command, perform: Perform): void {
  for (const [name, description] of STAGE_COMMANDS) {
    const command = withRunOptions(program.command(name))
      .helpGroup("Up to one stage, in order:")
      .description(description);
    if (name === "verify") command.argument("<recipe>", "YAML file, or the folder of a packaged model");
    else if (name === "publish") command.argument("<recipe>", "YAML file; with --to also a version of the registry");
    else command.argument("<recipe>", "YAML file, or - for standard input");
    if (name === "publish")
      command
        .option("--to <target>", "release it there as well: hub:org/name, oci://host/repo:tag or folder:PATH")
        .option("-y, --yes", "release without asking");
    if (name === "verify")
      withSignature(command.option("--data <path>", "with a folder: labelled split to measure quality on"));
    command.action((recipe: string, _: unknown, self: Command) => {
      const flags = self.optsWithGlobals<RunFlags & ReleaseFlags & OutputFlags>();
      return perform(flags, async (context) => {
        if (name === "verify")
          return (await import("./commands/verify.js")).verifyRecipeOrFolder(recipe, flags, context);
        if (name === "publish" && flags.to !== undefined)
          return (await import("./commands/release.js")).release(recipe, { ...flags, to: flags.to }, context);
        return (await import("./commands/run.js")).runRecipe(recipe, name, flags, context);
      });
    });
  }
}

function addRecipeCommands(program: Command, perform: Perform): void {
  const group = "Recipes:";
  program
    .command("init")
    .helpGroup(group)
    .argument("[recipe]", "file to write", "recipe.yaml")
    .description("write a commented recipe for your own data")
    .requiredOption("--data <path>", "labelled pairs: JSONL, CSV, TSV or a BEIR folder")
    .option("--base <model>", "Hub repository or local folder (default: BAAI/bge-reranker-v2-m3, or the preset's)")
    .option("--preset <name>", "settings for one base and its hardware; `rerank-tune presets` lists them")
    .action((recipe: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<InitFlags & OutputFlags>();
      return perform(flags, async () => (await import("./commands/init.js")).init(recipe, flags));
    });
  program
    .command("presets")
    .helpGroup(group)
    .description("bases with ready settings for `init --preset`: hardware, licence, when to take which")
    .action((_: unknown, command: Command) =>
      perform(command.optsWithGlobals<OutputFlags>(), async () =>
        (await import("./commands/presets.js")).listPresets(),
      ),
    );
  program
    .command("trim")
    .helpGroup(group)
    .argument("<model>", "model folder with tokenizer.json and model.safetensors, or its shards")
    .description("a base without the pieces your texts never use; proves that they are cut as before")
    .option("--corpus <file...>", "texts: JSON lines (every string counts) or plain lines, .gz or not")
    .option("--languages <tag...>", "keep every piece of these languages' letters alone, such as de fr it en")
    .option("--check <file...>", "other texts, in the same forms: how many are cut otherwise, and at what price")
    .requiredOption("--out <folder>", "folder to make")
    .addOption(
      new Option("--keep <what>", "characters: also every single character; used: nothing beyond the texts")
        .choices(KEEPS)
        .default("characters"),
    )
    .action((model: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<TrimFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./commands/trim.js")).trim(model, flags, context));
    });
  withSet(program.command("validate"))
    .helpGroup(group)
    .argument("<recipe>", "YAML file, or - for standard input")
    .description("check a recipe, all problems at once")
    .action((recipe: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<RunFlags & OutputFlags>();
      return perform(flags, async () => (await import("./commands/validate.js")).validate(recipe, flags.set));
    });
  withPlaces(withSet(program.command("status")))
    .helpGroup(group)
    .argument("<recipe>", "YAML file, or - for standard input")
    .description("what is cached, what would run and why, and the last results")
    .action((recipe: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<RunFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./commands/plan.js")).showStatus(recipe, flags, context));
    });
}

function addMachineCommands(program: Command, perform: Perform): void {
  const group = "This machine:";
  program
    .command("env")
    .helpGroup(group)
    .description("build the pinned Python environment and fetch onnxruntime-node")
    .option("--rebuild", "throw away what is there first")
    .option("--openvino", "also fetch OpenVINO, for quantize.openvino (180 MB)")
    .action((_: unknown, command: Command) => {
      const flags = command.optsWithGlobals<EnvFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./commands/env.js")).prepareEnvironment(flags, context));
    });
  withPlaces(program.command("doctor"))
    .helpGroup(group)
    .description("check this machine, with a remedy for each finding")
    .option("--install-cuda", "first fetch the CUDA files of onnxruntime-node (Linux x64)")
    .option("--cuda-package <file>", "take them from this .nupkg instead of the network")
    .option("--cuda-feed <url>", "take them from this NuGet v3 feed")
    .action((_: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DoctorFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./commands/doctor.js")).doctor(flags, context));
    });
}
