// Flags that several commands share, and what a wrong command line becomes.
import { type Command, type CommanderError, InvalidArgumentError, Option } from "commander";
import { RerankTuneError } from "../errors.js";
import type { VariantName } from "../model-folder/layout.js";
import { exampleFor } from "./examples.js";

/** Written out: the schemas that know them would make `--help` wait for zod. */
export const VARIANTS: readonly VariantName[] = ["fp32", "int8", "fp16"];

export function withPlaces(command: Command): Command {
  return command
    .option("--artifacts <dir>", "where runs land", "artifacts")
    .option("--registry <dir>", "the local registry (default: <artifacts>/registry)");
}

export function withSet(command: Command): Command {
  const collect = (value: string, before: string[]) => [...before, value];
  return command.addOption(
    new Option("--set <key=value>", "override a field, such as train.epochs=2; repeatable")
      .argParser(collect)
      .default([], "none"),
  );
}

/** Commands whose own work is training; the others of the pipeline mostly find it done. */
const TRAINING = ["run", "train"];

export function withRunOptions(command: Command): Command {
  withPlaces(withSet(command))
    .option("-n, --dry-run", "print what would run and why; run nothing")
    .option("--force", "run every stage again")
    .option("--offline", "use cached bases only");
  return TRAINING.includes(command.name()) ? withLaunch(command) : command;
}

/** Where training runs; see docs/guides/many-devices.md. */
function withLaunch(command: Command): Command {
  return command
    .option("--processes <n>", "train in n processes on this machine", positiveInteger)
    .option("--nodes <m>", "train on m machines", positiveInteger)
    .option("--node-rank <k>", "this machine, 0 to m - 1; 0 keeps the results", wholeNumber)
    .option("--rendezvous <host:port>", "where machine 0 waits for the others");
}

/** For `argParser`: a whole number of 1 or more. */
export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1)
    throw new InvalidArgumentError("It must be a whole number of 1 or more.");
  return number;
}

/** For `argParser`: a whole number of 0 or more. */
export function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError("It must be a whole number of 0 or more.");
  return Number(value);
}

/**
 * A parse failure of commander as an error of ours, or undefined when it only showed help.
 * @param args the command line: commander does not say which group it wants a subcommand of.
 */
export function usageError(
  error: CommanderError,
  program: Command,
  args: readonly string[],
): RerankTuneError | undefined {
  if (error.exitCode === 0) return undefined;
  const help = "run `rerank-tune --help` to see all commands, or `rerank-tune COMMAND --help`";
  if (error.code === "commander.help") {
    const group = program.commands.find((command) => command.commands.length > 0 && args.includes(command.name()));
    const name = group?.name() ?? "rerank-tune";
    return new RerankTuneError({
      code: "USAGE",
      message: `A subcommand of ${name} is missing: ${group?.commands.map((command) => command.name()).join(", ") ?? ""}.`,
      hint: `run \`rerank-tune ${name} --help\``,
    });
  }
  const [first = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const meant = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(suggestion ?? "")?.[1];
  const message = `${first.charAt(0).toUpperCase()}${first.slice(1)}.`;
  const example = error.code === "commander.missingMandatoryOptionValue" ? exampleFor(program, args) : undefined;
  const other = example === undefined ? help : `such as \`${example}\``;
  return new RerankTuneError({
    code: "USAGE",
    message,
    hint: meant === undefined ? other : `did you mean \`${meant}\`?`,
  });
}
