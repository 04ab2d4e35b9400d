// The commands about signatures. Only their words and flags; the work is loaded when it is called.
import { type Command, Option } from "commander";
import type { OutputFlags } from "../ui/output.js";
import { withPlaces } from "./flags.js";
import type { Perform } from "./perform.js";
import type { EvidenceFlags, SignFlags } from "./sign.js";

const MODEL = "name, name:alias or name@sha256:<digest>";

/** `--key` of whoever checks, repeatable, and the day of the check. */
export function withTrustedKeys(command: Command): Command {
  const collect = (value: string, before: string[]) => [...before, value];
  return command
    .addOption(
      new Option("--key <file>", "public key or key ring that you trust, or env:NAME; repeatable")
        .argParser(collect)
        .default([], "none"),
    )
    .option("--at <day>", "judge keys as of that day");
}

/** `--signature` with what belongs to it. */
export function withSignature(command: Command): Command {
  return withTrustedKeys(
    command.option("--signature [file]", "check who signed the files (default: model.sig in the folder)"),
  );
}

/** Below `registry`. */
export function defineEvidenceCommands(registry: Command, perform: Perform): void {
  const load = () => import("./sign.js");
  const password = [
    "--password <file>",
    "of an encrypted key: a file or env:NAME (default: RERANK_TUNE_KEY_PASSWORD)",
  ] as const;
  withPlaces(registry.command("sign"))
    .helpGroup("Signing:")
    .description("sign a version and its statements; its digest stays")
    .argument("<model>", MODEL)
    .requiredOption("--key <file>", "private key, or env:NAME")
    .option(...password)
    .action((model: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<SignFlags & OutputFlags>();
      return perform(flags, async () => (await load()).signVersion(model, flags));
    });
  withTrustedKeys(withPlaces(registry.command("evidence")))
    .helpGroup("Signing:")
    .description("write model.sig and the statements into a folder")
    .argument("<model>", MODEL)
    .argument("<folder>", "such as one that was pulled")
    .action((model: string, folder: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<EvidenceFlags & OutputFlags>();
      return perform(flags, async () => (await load()).writeEvidence(model, folder, flags));
    });
  registry
    .command("keys")
    .helpGroup("Signing:")
    .description("make keys that sign models")
    .command("new")
    .description("a private key in FILE, the public one in FILE.pub")
    .argument("<file>", "new file; a key is never written over")
    .option(...password)
    .action((file: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<{ password?: string } & OutputFlags>();
      return perform(flags, async () => (await load()).newKeys(file, flags));
    });
}
