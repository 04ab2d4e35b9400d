import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { RerankTuneError } from "../../../src/errors.js";
import { Output, type OutputFlags, type Renderable } from "../../../src/ui/output.js";

class Sink extends Writable {
  text = "";
  constructor(private readonly failure?: string) {
    super();
  }
  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    this.text += String(chunk);
    done(this.failure === undefined ? undefined : Object.assign(new Error(this.failure), { code: this.failure }));
  }
}

function output(flags: OutputFlags, stdout = new Sink()) {
  const stderr = new Sink();
  return { output: new Output(flags, { stdout, stderr, variables: {} }), stdout, stderr };
}

const result: Renderable = { data: { version: "m@sha256:1" }, text: () => "a table", essential: "m@sha256:1" };
const error = new RerankTuneError({
  code: "GATE_FAILED",
  message: "int8 misses a gate.",
  hint: "loosen it",
  data: { half: 1 },
});

describe("a result", () => {
  test("is its text for people", async () => {
    const { output: out, stdout, stderr } = output({});
    await out.result(result);
    expect([stdout.text, stderr.text]).toEqual(["a table\n", ""]);
  });

  test("is exactly one JSON document with --json", async () => {
    const { output: out, stdout } = output({ json: true });
    await out.result(result);
    expect(stdout.text).toBe('{"ok":true,"data":{"version":"m@sha256:1"}}\n');
  });

  test("is its essential value with --quiet", async () => {
    const { output: out, stdout } = output({ quiet: true });
    await out.result(result);
    expect(stdout.text).toBe("m@sha256:1\n");
  });

  test("with a failure keeps its data beside the error", async () => {
    const { output: out, stdout } = output({ json: true });
    await out.result({ ...result, failure: error });
    expect(JSON.parse(stdout.text)).toEqual({
      ok: false,
      error: { code: "GATE_FAILED", message: "int8 misses a gate.", hint: "loosen it", problems: [] },
      data: { version: "m@sha256:1" },
    });
  });

  test("with a failure is shown before the error", async () => {
    const { output: out, stdout, stderr } = output({});
    await out.result({ ...result, failure: error });
    expect(stdout.text).toBe("a table\n");
    expect(stderr.text).toBe("\nerror[GATE_FAILED]: int8 misses a gate.\n\nhint: loosen it\n");
  });
});

describe("an error", () => {
  test("goes to stderr for people, and stdout stays empty", async () => {
    const { output: out, stdout, stderr } = output({});
    await out.error(error);
    expect(stdout.text).toBe("");
    expect(stderr.text).toContain("error[GATE_FAILED]");
  });

  test("is one document on stdout with --json, with what was finished", async () => {
    const { output: out, stdout, stderr } = output({ json: true });
    await out.error(error);
    expect(JSON.parse(stdout.text)).toMatchObject({ ok: false, error: { code: "GATE_FAILED" }, data: { half: 1 } });
    expect(stderr.text).toBe("");
  });
});

describe("events", () => {
  test("go to stderr in JSON mode too", () => {
    const { output: out, stdout, stderr } = output({ json: true });
    out.emit({ type: "phase", name: "train" });
    expect([stdout.text, stderr.text]).toEqual(["", "  train\n"]);
  });

  test("are warnings only with --quiet", () => {
    const { output: out, stderr } = output({ quiet: true });
    out.emit({ type: "note", message: "12 duplicates" });
    out.emit({ type: "warning", message: "3 conflicts" });
    expect(stderr.text).toBe("warning: 3 conflicts\n");
  });

  test("show no progress with --no-progress, but what was done", () => {
    const { output: out, stderr } = output({ progress: false });
    out.emit({ type: "phase", name: "train" });
    out.emit({ type: "stage", name: "train", status: "done", reason: "", seconds: 3 });
    expect(stderr.text).toBe("+ train     3.0 s\n");
  });
});

describe("a pipe that was closed", () => {
  test("ends the output without a word", async () => {
    const { output: out } = output({}, new Sink("EPIPE"));
    await expect(out.result(result)).resolves.toBeUndefined();
  });
});
