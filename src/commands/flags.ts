// Flags that several commands share, and what a wrong command line becomes.
import { type Command, type CommanderError, Option } from "commander";
import { RerankTuneError } from "../errors.js";

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

export function withRunOptions(command: Command): Command {
  return withPlaces(withSet(command))
    .option("-n, --dry-run", "print what would run and why; run nothing")
    .option("--force", "run every stage again")
    .option("--offline", "use cached bases only");
}

/** A parse failure of commander as an error of ours, or undefined when it only showed help. */
export function usageError(error: CommanderError, program: Command): RerankTuneError | undefined {
  if (error.exitCode === 0) return undefined;
  const help = "run `rerank-tune --help` to see all commands, or `rerank-tune COMMAND --help`";
  if (error.code === "commander.help") {
    const parents = program.commands.filter(({ commands }) => commands.length > 0).map((command) => command.name());
    return new RerankTuneError({
      code: "USAGE",
      message: `A subcommand of ${parents.join(", ")} is missing.`,
      hint: `run \`rerank-tune ${parents[0]} --help\``,
    });
  }
  const [first = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const meant = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(suggestion ?? "")?.[1];
  const message = `${first.charAt(0).toUpperCase()}${first.slice(1)}.`;
  return new RerankTuneError({
    code: "USAGE",
    message,
    hint: meant === undefined ? help : `did you mean \`${meant}\`?`,
  });
}
