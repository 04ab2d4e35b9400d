// `registry view` and `registry serve`: how other programs read the registry. Only their words and flags; the work is loaded when it is called.
import { Argument, type Command, InvalidArgumentError } from "commander";
import type { OutputFlags } from "../ui/output.js";
import { wholeNumber, withPlaces } from "./flags.js";
import type { Perform } from "./perform.js";
import type { ServeFlags } from "./registry-serve.js";
import type { ViewFlags } from "./registry-view.js";

/** Written out: the code that knows them would make `--help` wait for zod. */
const VIEW_KINDS = ["hub", "folders"] as const;
type ViewKind = (typeof VIEW_KINDS)[number];

/** @param registry the command group to add them to. */
export function defineServingCommands(registry: Command, perform: Perform): void {
  withPlaces(registry.command("view"))
    .helpGroup("Serving:")
    .addArgument(
      new Argument("<kind>", "hub: cache layout of the Hub's clients; folders: plain, for TEI, Node, mounts").choices(
        VIEW_KINDS,
      ),
    )
    .argument("<folder>", "new folder, or one that `registry view` made")
    .argument("[models...]", "name, name:alias or name@sha256:<digest> (default: all with their aliases)")
    .description("make or update a folder that other programs read models from; nothing done to it harms the registry")
    .option("--all", "also versions that no alias points to")
    .option("--link", "hard links instead of copies: no space taken, but a program may write through them")
    .option("--org <name>", "with hub: organization in names such as local/reranker", "local")
    .option("--check", "change nothing; exit code 3 when the folder is not what the registry says")
    .action((kind: ViewKind, folder: string, models: string[], _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ViewFlags & OutputFlags>();
      return perform(flags, async (context) =>
        (await import("./registry-view.js")).viewRegistry(kind, folder, models, flags, context),
      );
    });
  withPlaces(registry.command("serve"))
    .helpGroup("Serving:")
    .description("serve the registry over HTTP, read-only, to whatever reads from the Hub (HF_ENDPOINT)")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <number>", "port to listen on; 0 takes a free one", portNumber, 8080)
    .option("--token-file <file>", "readers must send this token (default: RERANK_TUNE_SERVE_TOKEN, else none)")
    .option("--org <name>", "organization in names such as local/reranker", "local")
    .option("--rehash", "hash a file again before it is first sent")
    .action((_: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ServeFlags & OutputFlags>();
      return perform(flags, async (context) => (await import("./registry-serve.js")).serveRegistry(flags, context));
    });
}

function portNumber(value: string): number {
  const port = wholeNumber(value);
  if (port > 65535) throw new InvalidArgumentError("It must be 65535 or less.");
  return port;
}
