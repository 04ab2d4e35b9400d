// Reads every import of src/ and holds it against the import law and the house sizes.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";

const SRC = resolve(import.meta.dirname, "../src");
const files = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));

/** Rooms from the outside in; a room may import rooms of a higher number only, and its own files. */
const LAYERS: Record<string, number> = {
  "cli.ts": 0,
  "program.ts": 1,
  commands: 2,
  ui: 3,
  doctor: 3,
  recipe: 3,
  pipeline: 4,
  "data-tools": 4,
  stages: 5,
  builtin: 5,
  evaluation: 5,
  report: 5,
  destinations: 5,
  serve: 5,
  lint: 5,
  worker: 6,
  inference: 6,
  hub: 6,
  registry: 6,
  trim: 6,
  "model-folder": 7,
  evidence: 7,
  tokenization: 7,
  environment: 7,
  dataset: 7,
  ranking: 7,
  page: 8,
  artifacts: 8,
  "errors.ts": 9,
  "events.ts": 9,
};

interface Import {
  from: string;
  to: string;
  typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(SRC, file), "utf8");
  const found = [
    ...text.matchAll(/^(?:import|export)\s+(type\s+)?[^;]*?from\s+"(\.[^"]+)"/gms),
    ...text.matchAll(/import\(()"(\.[^"]+)"\)/g),
  ];
  return found.map((match) => ({
    from: file,
    to: relative(SRC, resolve(SRC, dirname(file), match[2] ?? "")).replace(/\.js$/, ".ts"),
    typeOnly: (match[1] !== undefined && match[1] !== "") || onlyTypes(match[0]),
  }));
}

function onlyTypes(statement: string): boolean {
  const names = /\{([^}]*)\}/.exec(statement)?.[1];
  const listed = names?.split(",").filter((name) => name.trim() !== "");
  return listed?.every((name) => name.trim().startsWith("type ")) ?? false;
}

const room = (file: string): string => file.split("/")[0] ?? file;
const imports = files.flatMap(importsOf);
const running = imports.filter(({ typeOnly }) => !typeOnly);

describe("the import law", () => {
  test("every file of src/ is in a known room", () => {
    expect(files.filter((file) => !(room(file) in LAYERS))).toEqual([]);
  });

  test("dependencies point inward", () => {
    const outward = running.filter(
      ({ from, to }) =>
        room(from) !== room(to) && !schemaOfStage(from, to) && (LAYERS[room(to)] ?? -1) <= (LAYERS[room(from)] ?? 99),
    );
    expect(outward.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("stages never import one another", () => {
    const between = running.filter(
      ({ from, to }) => room(from) === "stages" && room(to) === "stages" && from.split("/")[1] !== to.split("/")[1],
    );
    expect(between.map(({ from, to }) => `${from} -> ${to}`)).toEqual([]);
  });

  test("ui is imported by commands and the door alone", () => {
    const users = running.filter(
      ({ from, to }) => room(to) === "ui" && !["ui", "commands", "cli.ts", "program.ts"].includes(room(from)),
    );
    expect(users.map(({ from }) => from)).toEqual([]);
  });

  test("no files import each other in a circle, not even types", () => {
    expect(circles()).toEqual([]);
  });
});

describe("the house rules", () => {
  test("only cli.ts ends the process", () => {
    const enders = files.filter(
      (file) => file !== "cli.ts" && /process\.exit\(/.test(readFileSync(join(SRC, file), "utf8")),
    );
    expect(enders).toEqual([]);
  });

  test("only ui/output.ts writes to standard output", () => {
    const writers = files.filter(
      (file) =>
        file !== "ui/output.ts" && /process\.stdout\.write|console\.log/.test(readFileSync(join(SRC, file), "utf8")),
    );
    expect(writers).toEqual([]);
  });

  test("no file is longer than 250 lines", () => {
    const long = files
      .map((file) => [file, readFileSync(join(SRC, file), "utf8").split("\n").length] as const)
      .filter(([, lines]) => lines > 250);
    expect(long).toEqual([]);
  });

  test("every file opens by saying what it is for", () => {
    const silent = files.filter((file) => !/^(#!.*\n)?(\/\/|\/\*)/.test(readFileSync(join(SRC, file), "utf8")));
    expect(silent).toEqual([]);
  });

  test("no file is called utils or helpers", () => {
    expect(files.filter((file) => /(utils?|helpers?|misc|common)\.ts$/.test(file))).toEqual([]);
  });
});

/** The recipe joins the stages' option schemas and reads nothing else of a stage. */
function schemaOfStage(from: string, to: string): boolean {
  return room(from) === "recipe" && /^stages\/\w+\/schema\.ts$/.test(to);
}

function circles(): string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const found = new Set<string>();
  const visit = (file: string, path: string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) return void found.add([...path.slice(at), file].join(" -> "));
    if (done.has(file)) return;
    for (const target of next.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  const done = new Set<string>();
  for (const file of files) visit(file, []);
  return [...found];
}
