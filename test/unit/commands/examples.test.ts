import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { EXAMPLES, exampleFor } from "../../../src/commands/examples.js";
import { buildProgram } from "../../../src/program.js";

const program = buildProgram("0.0.0", async () => undefined);

/** Every command with the words that name it. */
function commandsOf(command: Command, words: readonly string[] = []): { words: readonly string[]; command: Command }[] {
  return command.commands.flatMap((child) => {
    const named = [...words, child.name()];
    return [{ words: named, command: child }, ...commandsOf(child, named)];
  });
}

const demanding = commandsOf(program).filter(({ command }) => command.options.some(({ mandatory }) => mandatory));

describe("the examples", () => {
  test("are there for every command with a required option", () => {
    expect(demanding.length).toBeGreaterThan(4);
    expect(demanding.map(({ words }) => words.join(" ")).filter((name) => EXAMPLES[name] === undefined)).toEqual([]);
  });

  test.each(Object.entries(EXAMPLES))(
    "of %s give all that is required, and only options that exist",
    (name, example) => {
      const command = commandsOf(program).find(({ words }) => words.join(" ") === name)?.command;
      expect(example.startsWith(`rerank-tune ${name} `)).toBe(true);
      const given = example.split(" ").filter((word) => word.startsWith("--"));
      const options = command?.options ?? [];
      expect(options.filter(({ mandatory, long }) => mandatory && !given.includes(long ?? ""))).toEqual([]);
      expect(given.filter((flag) => !options.some(({ long }) => long === flag))).toEqual([]);
    },
  );
});

describe("a command line", () => {
  test("is answered with the example of the command it names", () => {
    expect(exampleFor(program, ["--json", "data", "import", "pairs.csv"])).toBe(EXAMPLES["data import"]);
    expect(exampleFor(program, ["init"])).toBe(EXAMPLES.init);
  });

  test("that names no command, or one that needs nothing, has none", () => {
    expect(exampleFor(program, ["doctor"])).toBeUndefined();
    expect(exampleFor(program, [])).toBeUndefined();
  });
});
