// The `registry` commands on the command line: reading, moving aliases, comparing, cleaning up.
import { type Command, Option } from "commander";
import type { OutputFlags } from "../ui/output.js";
import { defineEvidenceCommands, withSignature, withTrustedKeys } from "./define-evidence.js";
import { defineFetch } from "./define-oci.js";
import { defineServingCommands } from "./define-serving.js";
import { wholeNumber, withPlaces } from "./flags.js";
import type { RegistryFlags } from "./local-registry.js";
import type { Perform } from "./perform.js";
import type { PullFlags, VerifyFlags } from "./registry.js";
import type { CollectFlags } from "./registry-collect.js";
import type { LineageFlags } from "./registry-compare.js";
import type { ProtectFlags, ReasonFlags, RollbackFlags } from "./registry-history.js";

const REFERENCE = "name, name:alias or name@sha256:<digest>";

/** Adds the group and its commands. */
export function defineRegistryCommands(program: Command, perform: Perform): void {
  const registry = program
    .command("registry")
    .helpGroup("Registry:")
    .description("the local registry: read it, serve it, move aliases, compare, sign, clean up");
  defineReading(registry, perform);
  defineMoving(registry, perform);
  defineComparing(registry, perform);
  defineFetch(registry, perform);
  defineServingCommands(registry, perform);
  defineEvidenceCommands(registry, perform);
  defineCleaning(registry, perform);
}

function subcommand(registry: Command, group: string, name: string, description: string): Command {
  return withPlaces(registry.command(name)).helpGroup(group).description(description);
}

function defineReading(registry: Command, perform: Perform): void {
  const add = subcommand.bind(undefined, registry, "Reading:");
  const load = () => import("./registry.js");
  type Flags = RegistryFlags & OutputFlags;
  add("list", "all models and their versions").action((_: unknown, command: Command) => {
    const flags = command.optsWithGlobals<Flags>();
    return perform(flags, async () => (await load()).listRegistry(flags));
  });
  withTrustedKeys(add("show", "files, evidence and card of one version"))
    .argument("<model>", REFERENCE)
    .action((model: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      return perform(flags, async () => (await load()).showRegistry(model, flags));
    });
  withTrustedKeys(
    add("pull", "write a version into a folder, every byte checked; with --key: only if that key signed it"),
  )
    .argument("<model>", REFERENCE)
    .argument("<folder>", "new or empty folder")
    .option("--verify", "also read what was written from the disk again")
    .action((model: string, folder: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<Flags & PullFlags>();
      return perform(flags, async () => (await load()).pullFromRegistry(model, folder, flags));
    });
  withSignature(add("verify", "hash all again, hold the index against the log; with --signature: who signed a version"))
    .argument("[model]", `with --signature: ${REFERENCE}`)
    .option("--head <sha256>", "the log must hold this line: a head that verify printed before, kept elsewhere")
    .action((model: string | undefined, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<VerifyFlags & OutputFlags>();
      return perform(flags, async (context) => (await load()).verifyRegistry(model, flags, context));
    });
}

function defineMoving(registry: Command, perform: Perform): void {
  const add = subcommand.bind(undefined, registry, "Aliases:");
  const load = () => import("./registry-history.js");
  add("alias", "point an alias at a version: `alias m:staging prod --reason ...`")
    .argument("<version>", "name:alias or name@sha256:<digest>")
    .argument("<alias>", "such as staging or prod")
    .requiredOption("--reason <text>", "why, for the log")
    .action((version: string, alias: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ReasonFlags & OutputFlags>();
      return perform(flags, async () => (await load()).aliasInRegistry(version, alias, flags));
    });
  add("unalias", "take an alias away; its version stays")
    .argument("<name>", "the model")
    .argument("<alias>", "the alias")
    .requiredOption("--reason <text>", "why, for the log")
    .action((name: string, alias: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ReasonFlags & OutputFlags>();
      return perform(flags, async () => (await load()).unaliasInRegistry(name, alias, flags));
    });
  add("rollback", "point an alias back at the version before")
    .argument("<model>", "name or name:alias")
    .requiredOption("--reason <text>", "why, for the log")
    .option("--to <version>", "to this version, by name@sha256:<digest> or name:alias")
    .action((model: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<RollbackFlags & OutputFlags>();
      return perform(flags, async () => (await load()).rollbackInRegistry(model, flags));
    });
  add("protect", "let only versions that pass verify stand under an alias")
    .argument("<name>", "the model")
    .argument("<alias>", "such as prod; need not be there yet")
    .requiredOption("--reason <text>", "why, for the log")
    .option("--allow-inconclusive", "gates whose test split is too small to tell may stay open")
    .action((name: string, alias: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ProtectFlags & OutputFlags>();
      return perform(flags, async () => (await load()).protectInRegistry(name, alias, flags));
    });
  add("unprotect", "let any version stand under an alias again")
    .argument("<name>", "the model")
    .argument("<alias>", "the protected alias")
    .requiredOption("--reason <text>", "why, for the log")
    .action((name: string, alias: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ReasonFlags & OutputFlags>();
      return perform(flags, async () => (await load()).unprotectInRegistry(name, alias, flags));
    });
  add("log", "who moved what, when, why, and on which report; the chain is checked")
    .argument("[model]", "name or name:alias (default: all)")
    .action((model: string | undefined, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<RegistryFlags & OutputFlags>();
      return perform(flags, async () => (await load()).logOfRegistry(model, flags));
    });
}

function defineComparing(registry: Command, perform: Perform): void {
  const add = subcommand.bind(undefined, registry, "Comparing:");
  const load = () => import("./registry-compare.js");
  add("diff", "files, tensors, card, quality and latency of two versions")
    .argument("<left>", REFERENCE)
    .argument("<right>", REFERENCE)
    .action((left: string, right: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<RegistryFlags & OutputFlags>();
      return perform(flags, async () => (await load()).diffInRegistry(left, right, flags));
    });
  add("lineage", "what a version was made from, and what was made from it")
    .argument("<model>", REFERENCE)
    .addOption(new Option("--as <form>", "how to draw it").choices(["tree", "mermaid", "dot"]).default("tree"))
    .action((model: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<LineageFlags & OutputFlags>();
      return perform(flags, async () => (await load()).lineageInRegistry(model, flags));
    });
}

function defineCleaning(registry: Command, perform: Perform): void {
  const add = subcommand.bind(undefined, registry, "Cleaning up:");
  const load = () => import("./registry-collect.js");
  add("remove", "take a version that no alias holds out of the registry")
    .argument("<version>", "name@sha256:<digest>")
    .requiredOption("--reason <text>", "why, for the log")
    .action((version: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ReasonFlags & OutputFlags>();
      return perform(flags, async () => (await load()).removeFromRegistry(version, flags));
    });
  add("collect", "set aside what nothing needs; says only what it would do until --yes")
    .option("--keep <n>", "versions before the present one that each alias keeps", wholeNumber, 5)
    .option("--older-than <days>", "days a version stays after its last alias left it", wholeNumber, 30)
    .option("--grace <hours>", "blobs younger than this stay: someone may be publishing", wholeNumber, 24)
    .option("--quarantine <days>", "days after which what was set aside is deleted", wholeNumber, 7)
    .option("-n, --dry-run", "say what would be done (the default)")
    .option("-y, --yes", "do it")
    .option("--restore", "take back everything that was set aside and is not deleted yet")
    .action((_: unknown, command: Command) => {
      const flags = command.optsWithGlobals<CollectFlags & OutputFlags>();
      return perform(flags, async () => (await load()).collectRegistry(flags));
    });
}
