// `registry fetch`: its words and flags; the work is loaded when it is called.
import type { Command } from "commander";
import type { OutputFlags } from "../ui/output.js";
import { withTrustedKeys } from "./define-evidence.js";
import type { FetchFlags } from "./fetch.js";
import { withPlaces } from "./flags.js";
import type { Perform } from "./perform.js";

/** @param registry the group of commands it joins. */
export function defineFetch(registry: Command, perform: Perform): void {
  withTrustedKeys(withPlaces(registry.command("fetch")))
    .helpGroup("Reading:")
    .description(
      "bring a version of an OCI registry into the local one, every digest checked; with --key: only if that key signed it",
    )
    .argument("<artefact>", "oci://HOST/REPOSITORY:TAG or oci://HOST/REPOSITORY@sha256:<digest>")
    .option("--as <name>", "name or name:alias that it gets here (default: the repository's last part and the tag)")
    .action((source: string, _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<FetchFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./fetch.js")).fetchIntoRegistry(source, flags, context));
    });
}
