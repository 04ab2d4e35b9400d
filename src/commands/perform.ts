// From the command line to an exit code: parses, runs one command with a context, shows its result or its error. Ends no process.
import { type Command, CommanderError } from "commander";
import { homeFolder } from "../environment/home.js";
import { packageDescription } from "../environment/package-root.js";
import type { PythonRuntime } from "../environment/python-runtime.js";
import { EXIT, fromFileSystemError, interrupted, RerankTuneError } from "../errors.js";
import { listenForSignals } from "../ui/interruption.js";
import { Output, type OutputFlags, type Renderable } from "../ui/output.js";
import { asRerankTuneError } from "../ui/render-error.js";
import type { CommandContext } from "./context.js";
import { usageError } from "./flags.js";

/** Runs a command's work and shows its result. */
export type Perform = (flags: OutputFlags, work: (context: CommandContext) => Promise<Renderable>) => Promise<void>;

/**
 * @param args without node and script.
 * @param build the command tree.
 * @param kill ends the process; called on the second Ctrl-C only.
 * @returns the exit code.
 */
export async function runCommandLine(
  args: readonly string[],
  build: (version: string, perform: Perform) => Command,
  kill: (exitCode: number) => void,
): Promise<number> {
  let exitCode: number = EXIT.ok;
  const perform: Perform = async (flags, work) => {
    exitCode = await performOne(new Output(flags), work, kill);
  };
  const program = build(packageDescription().version, perform);
  let help = "";
  silence(program, (text) => {
    help += text;
  });
  // Before parsing there are no flags yet; a machine reader must get its document even for a wrong command line.
  const early = new Output({ json: args.includes("--json"), color: !args.includes("--no-color") });
  try {
    await program.parseAsync(spelledOut(args), { from: "user" });
    return exitCode;
  } catch (error) {
    const failure = error instanceof CommanderError ? usageError(error, program, args) : asRerankTuneError(error);
    if (failure === undefined) {
      await early.print(help);
      return EXIT.ok;
    }
    await early.error(failure);
    return failure.exitCode;
  }
}

/** A bare call shows the help; `version` works like `--version`. */
function spelledOut(args: readonly string[]): string[] {
  if (args.length === 0) return ["--help"];
  return args.length === 1 && args[0] === "version" ? ["--version"] : [...args];
}

/** Commander writes nothing by itself: help is kept, its error lines become an error of ours. Subcommands have their own settings. */
function silence(command: Command, keep: (text: string) => void): void {
  command.exitOverride().configureOutput({ writeOut: keep, writeErr: () => undefined });
  for (const child of command.commands) silence(child, keep);
}

async function performOne(
  output: Output,
  work: (context: CommandContext) => Promise<Renderable>,
  kill: (exitCode: number) => void,
): Promise<number> {
  const interruption = listenForSignals(
    (text) => output.message(text),
    (exitCode) => {
      output.end("killed; finished stages and the last checkpoint are kept");
      kill(exitCode);
    },
  );
  const { signal } = interruption;
  const home = homeFolder();
  const emit: CommandContext["emit"] = (event) => output.emit(event);
  let runtime: Promise<PythonRuntime> | undefined;
  const python = () => {
    runtime ??= import("../environment/python-environment.js").then(({ ensurePython }) =>
      ensurePython({ home, emit, signal }),
    );
    return runtime;
  };
  try {
    const result = await work({ signal, emit, home, python });
    await output.result(result);
    return result.failure?.exitCode ?? EXIT.ok;
  } catch (error) {
    const failure = await explain(error, signal);
    await output.error(failure);
    return failure.exitCode;
  } finally {
    interruption.release();
  }
}

/** Whatever a stopped command failed with, it failed because it was stopped. */
async function explain(error: unknown, signal: AbortSignal): Promise<RerankTuneError> {
  const known = error instanceof RerankTuneError ? error : undefined;
  if (signal.aborted && known?.code !== "INTERRUPTED" && known?.code !== "TERMINATED") {
    return interrupted(signal);
  }
  const path = (error as NodeJS.ErrnoException | undefined)?.path ?? process.cwd();
  return known ?? fromFileSystemError(error, path) ?? asRerankTuneError(error);
}
