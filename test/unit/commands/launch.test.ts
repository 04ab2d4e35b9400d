import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { withRunOptions } from "../../../src/commands/flags.js";
import { type LaunchFlags, launchOf } from "../../../src/commands/launch.js";
import { RerankTuneError } from "../../../src/errors.js";

function parsed(...args: string[]): LaunchFlags {
  const command = withRunOptions(new Command("train")).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  return command.parse(args, { from: "user" }).opts();
}

function refused(...args: string[]): string {
  try {
    launchOf(parsed(...args));
  } catch (error) {
    if (error instanceof RerankTuneError && error.code === "USAGE") return `${error.message} ${error.hint}`;
    throw error;
  }
  return "";
}

const ON_TWO = ["--nodes", "2", "--rendezvous", "first:29400"];

describe("the flags that say where training runs", () => {
  test("mean one process when none is given, or one of each", () => {
    expect(launchOf(parsed())).toBeUndefined();
    expect(launchOf(parsed("--processes", "1", "--nodes", "1"))).toBeUndefined();
  });

  test("mean several processes on this machine", () => {
    expect(launchOf(parsed("--processes", "4"))).toEqual({ processes: 4, nodes: 1, nodeRank: 0 });
  });

  test("mean several machines, with one process each where no other number is given", () => {
    expect(launchOf(parsed(...ON_TWO, "--node-rank", "1"))).toEqual({
      processes: 1,
      nodes: 2,
      nodeRank: 1,
      rendezvous: "first:29400",
    });
  });

  test.each([
    [["--node-rank", "0"], "--node-rank needs --nodes"],
    [["--rendezvous", "a:1"], "--rendezvous needs --nodes"],
    [["--nodes", "3"], "--node-rank 1 to 2"],
    [ON_TWO, "--nodes 2 needs --node-rank and --rendezvous"],
    [[...ON_TWO, "--node-rank", "2"], "--node-rank 2 is none of 0 to 1. use `--node-rank 1` or less"],
    [["--nodes", "2", "--node-rank", "0", "--rendezvous", "first"], "--rendezvous first is not HOST:PORT"],
  ])("refuse %j", (args, words) => {
    expect(refused(...args)).toContain(words);
  });

  test.each([
    ["--processes", "0"],
    ["--nodes", "1.5"],
    ["--node-rank", "-1"],
  ])("refuse %s %s", (flag, value) => {
    expect(() => parsed(flag, value)).toThrow(/whole number/);
  });

  test("belong to commands that train alone", () => {
    const names = (name: string) => withRunOptions(new Command(name)).options.map(({ long }) => long);
    expect(names("run")).toContain("--processes");
    expect(names("prepare")).not.toContain("--processes");
  });
});
