// The built command line as a child process: streams, exit codes, help, errors and signals.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { writeFakePython } from "../helpers/fake-python.js";
import { folderPerTest } from "../helpers/folder-per-test.js";

const ROOT = resolve(import.meta.dirname, "../..");
const CLI = join(ROOT, "dist", "cli.js");
const folder = folderPerTest();

/** Locale, colour and home of the machine that runs the tests must not show. */
const variables = () => ({ PATH: process.env.PATH, HOME: folder(), RERANK_TUNE_HOME: join(folder(), "home") });

const cli = (args: string[], more: Record<string, string> = {}) =>
  execa(process.execPath, [CLI, ...args], {
    cwd: folder(),
    reject: false,
    extendEnv: false,
    env: { ...variables(), ...more },
  });

beforeAll(async () => {
  await execa(process.execPath, [join(ROOT, "src", "bootstrap.mjs"), "build"]);
}, 120_000);

describe("help", () => {
  test("is what a bare call shows, on stdout, with exit code 0", async () => {
    const { stdout, stderr, exitCode } = await cli([]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).toBe((await cli(["--help"])).stdout);
  });

  test("lists the stages in order", async () => {
    const { stdout } = await cli(["help"]);
    const order = ["prepare", "train", "export", "quantize", "package", "verify", "publish"];
    const places = order.map((name) => stdout.search(new RegExp(`^  ${name} `, "m")));
    expect(places.every((place, index) => place > (places[index - 1] ?? 0))).toBe(true);
  });

  test("documents the exit codes and shows examples", async () => {
    const { stdout } = await cli(["--help"]);
    expect(stdout).toMatch(/Examples:[\s\S]*quickstart[\s\S]*Exit codes:[\s\S]*3 a gate was missed[\s\S]*130, 143/);
  });

  test.each([
    [[]],
    [["run"]],
    [["quickstart"]],
    [["verify"]],
    [["registry", "pull"]],
    [["init"]],
    [["folds"]],
    [["doctor"]],
  ])("of %j fits 80 columns", async (command) => {
    const { stdout, exitCode } = await cli([...command, "--help"]);
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test("takes less than 150 ms of computing, or three bare starts of Node where even those are slow", async () => {
    // Not wall time: other tests run beside this one. The machines that run this differ by half in speed from hour to hour.
    const report =
      "process.on('exit',()=>{const{user,system}=process.cpuUsage();process.stderr.write(String((user+system)/1000))})";
    const leastOf = async (...command: string[]) => {
      const times: number[] = [];
      for (let run = 0; run < 4; run += 1)
        times.push(
          Number((await execa(process.execPath, ["--import", `data:text/javascript,${report}`, ...command])).stderr),
        );
      return Math.min(...times);
    };
    const bare = await leastOf("--eval", "0");
    expect(await leastOf(CLI, "--help")).toBeLessThan(Math.max(150, 3 * bare));
  });

  test("ends without a word when its reader closes the pipe", async () => {
    const { stdout, stderr } = await execa("sh", ["-c", `"${process.execPath}" "${CLI}" --help | head -n 1`]);
    expect([stdout, stderr]).toEqual(["Usage: rerank-tune [options] [command]", ""]);
  });

  test("has the version on its own", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect((await cli(["--version"])).stdout).toBe(version);
    expect((await cli(["version"])).stdout).toBe(version);
  });
});

describe("a wrong command line", () => {
  test("names the command that was meant, and exits with 2", async () => {
    const { stdout, stderr, exitCode } = await cli(["trian", "recipe.yaml"]);
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toMatchInlineSnapshot(`
      "error[USAGE]: Unknown command 'trian'.

      hint: did you mean \`train\`?"
    `);
  });

  test("names the option that was meant", async () => {
    const { stderr, exitCode } = await cli(["run", "recipe.yaml", "--dry-rum"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("did you mean `--dry-run`?");
  });

  test("is one JSON document with --json", async () => {
    const { stdout, exitCode } = await cli(["run", "--json"]);
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "USAGE", problems: [] } });
  });

  test.each([
    ["registry", "list, show, pull, verify"],
    ["data", "check, import, mine, score, split, synthesize"],
  ])("asks for the subcommand of the group %s", async (group, subcommands) => {
    const { stderr, exitCode } = await cli([group]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(subcommands);
    expect(stderr).toContain(`rerank-tune ${group} --help`);
  });
});

describe("an error", () => {
  test("in a recipe shows line, column and the field that was meant", async () => {
    await writeFile(
      join(folder(), "bad.yaml"),
      "schema: 1\nname: x\nbase_model: { path: b }\nprepare: { source: a }\ntrain:\n  epoch: 2\n",
    );
    const { stderr, exitCode } = await cli(["validate", "bad.yaml"]);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/^error\[RECIPE_INVALID\][\s\S]*bad\.yaml:6:3 +train\.epoch .*`?epochs`?[\s\S]*\nhint: /);
  });

  test("in a recipe has the same findings in JSON", async () => {
    await writeFile(
      join(folder(), "bad.yaml"),
      "schema: 1\nname: x\nbase_model: { path: b }\nprepare: { source: a }\ntrain:\n  epoch: 2\n",
    );
    const { stdout } = await cli(["validate", "bad.yaml", "--json"]);
    const { error } = JSON.parse(stdout) as { error: { problems: unknown[] } };
    expect(error.problems[0]).toMatchObject({ file: "bad.yaml", line: 6, column: 3, path: "train.epoch" });
  });

  test.each([
    [["run", "none.yaml"], 2, "RECIPE_NOT_FOUND"],
    [["status", "none.yaml"], 2, "RECIPE_NOT_FOUND"],
    [["verify", "none"], 2, "RECIPE_NOT_FOUND"],
    [["registry", "list"], 2, "REGISTRY_NOT_FOUND"],
    [["registry", "show", "m"], 2, "REGISTRY_NOT_FOUND"],
    [["verify", "."], 2, "PACKAGE_INVALID"],
    [["validate", "good.yaml", "--set", "train"], 2, "USAGE"],
  ])("of %j exits with %i and %s", async (args, exit, code) => {
    await writeFile(
      join(folder(), "good.yaml"),
      "schema: 1\nname: x\nbase_model: { path: b }\nprepare: { source: a }\n",
    );
    const { stdout, exitCode } = await cli([...args, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code, hint: expect.stringMatching(/.{10}/) } });
    expect(exitCode).toBe(exit);
  });

  test("of a missing Python lists what was tried, and exits with 4", async () => {
    const bin = join(folder(), "bin");
    await mkdir(bin);
    const { stdout, exitCode } = await cli(["env", "--json"], { PATH: bin });
    const { error } = JSON.parse(stdout) as { error: { code: string; problems: { path: string }[] } };
    expect([exitCode, error.code]).toEqual([4, "PYTHON_NOT_FOUND"]);
    expect(error.problems.map(({ path }) => path)).toContain("python3.11");
  });

  test("has no colour in a pipe, and has it with FORCE_COLOR unless NO_COLOR is there too", async () => {
    const colour = "\u001b[";
    expect((await cli(["trian"])).stderr).not.toContain(colour);
    expect((await cli(["trian"], { FORCE_COLOR: "1" })).stderr).toContain(colour);
    expect((await cli(["trian"], { FORCE_COLOR: "1", NO_COLOR: "1" })).stderr).not.toContain(colour);
    expect((await cli(["trian", "--no-color"], { FORCE_COLOR: "1" })).stderr).not.toContain(colour);
  });
});

describe("init", () => {
  test("writes a recipe that validates", async () => {
    await writeFile(join(folder(), "Our pairs.csv"), "query,passage,label\n");
    const made = await cli(["init", "mine.yaml", "--data", "Our pairs.csv", "--json"]);
    expect(JSON.parse(made.stdout)).toMatchObject({ ok: true, data: { name: "bge-reranker-v2-m3-our-pairs-ce" } });
    const { stdout, exitCode } = await cli(["validate", "mine.yaml"]);
    expect([exitCode, stdout]).toEqual([
      0,
      "mine.yaml is a valid recipe: bge-reranker-v2-m3-our-pairs-ce; its base is checked when it is fetched",
    ]);
  });

  test("never overwrites a file", async () => {
    await writeFile(join(folder(), "mine.yaml"), "precious");
    const { exitCode, stderr } = await cli(["init", "mine.yaml", "--data", "pairs.jsonl"]);
    expect([exitCode, await readFile(join(folder(), "mine.yaml"), "utf8")]).toEqual([2, "precious"]);
    expect(stderr).toContain("mine.yaml is there already");
  });
});

describe("doctor", () => {
  test("exits with 4 and a remedy when something is missing", async () => {
    const bin = join(folder(), "bin");
    await mkdir(bin);
    const { stdout, exitCode } = await cli(["doctor", "--json"], { PATH: bin });
    expect(exitCode).toBe(4);
    const { error, data } = JSON.parse(stdout) as {
      error: { problems: { path: string }[] };
      data: { findings: unknown[] };
    };
    expect(error.problems.map(({ path }) => path)).toEqual(["python"]);
    expect(data.findings.length).toBeGreaterThan(5);
  });

  test("leaves no folder behind", async () => {
    await cli(["doctor", "--artifacts", "runs/here"]);
    const { stdout } = await execa("ls", [folder()]);
    expect(stdout).toBe("");
  });
});

describe("Ctrl-C", () => {
  /** An interpreter that answers the probe, then works for half a minute. */
  async function busyPython(trap: string): Promise<string> {
    return await writeFakePython(join(folder(), "busy-python"), `${trap}\nsleep 30 &\nwait\nwait\nsleep 30`);
  }

  async function start(args: string[], trap = "") {
    const child = cli(["env", ...args], { RERANK_TUNE_PYTHON: await busyPython(trap) });
    child.stderr.setEncoding("utf8");
    await new Promise<void>((ready) => {
      child.stderr.on("data", (text: string) => text.includes("create the Python environment") && ready());
    });
    await sleep(100);
    return { child }; // a bare child would be awaited: execa's is a promise
  }

  test("once stops the work, says so, and exits with 130", async () => {
    const { child } = await start([]);
    child.kill("SIGINT");
    const { exitCode, stderr } = await child;
    expect(exitCode).toBe(130);
    expect(stderr).toContain("stopping; press Ctrl-C again to kill");
    expect(stderr).toContain("error[INTERRUPTED]");
  });

  test("is INTERRUPTED in JSON, SIGTERM is TERMINATED with 143", async () => {
    for (const [signal, code, exit] of [
      ["SIGINT", "INTERRUPTED", 130],
      ["SIGTERM", "TERMINATED", 143],
    ] as const) {
      const { child } = await start(["--json"]);
      child.kill(signal);
      const { stdout, exitCode } = await child;
      expect([JSON.parse(stdout).error.code, exitCode]).toEqual([code, exit]);
    }
  });

  test("twice ends at once, even when a child does not listen", async () => {
    const { child } = await start([], "trap '' TERM INT");
    child.kill("SIGINT");
    await sleep(300);
    const pressed = performance.now();
    child.kill("SIGINT");
    // Until the exit, not until the child's pipes close.
    const exitCode = await new Promise((done) => child.once("exit", done));
    expect(exitCode).toBe(130);
    expect(performance.now() - pressed).toBeLessThan(2000);
  });
});

describe("the bootstrap", () => {
  const bootstrap = (...args: string[]) =>
    execa(process.execPath, [join(ROOT, "src", "bootstrap.mjs"), ...args], { reject: false });

  test("refuses an unknown verb with 2", async () => {
    const { exitCode, stderr } = await bootstrap("quickstrat");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("error[USAGE]");
  });

  test("has nothing to do when nothing changed, and keeps stdout clean", async () => {
    const { exitCode, stdout, stderr } = await bootstrap("build");
    expect([exitCode, stdout, stderr]).toEqual([0, "", ""]);
  });

  test("passes arguments on and keeps the exit code", async () => {
    const { exitCode, stdout } = await bootstrap("quickstart", "--no-such-option", "--json");
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: "USAGE" } });
  });
});
