import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import type { CommandContext } from "../../../src/commands/context.js";
import { type ServeFlags, serveRegistry } from "../../../src/commands/registry-serve.js";
import { viewRegistry } from "../../../src/commands/registry-view.js";
import { type ServedRegistry, servedRegistry } from "../../helpers/served-registry.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

let home: string;
let registry: ServedRegistry["registry"];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "rerank-tune-serving-"));
  registry = (await servedRegistry(undefined, home)).registry;
});
afterAll(() => rm(home, { recursive: true, force: true }));

interface Started {
  context: CommandContext;
  lines: string[];
  controller: AbortController;
  /** Resolves with the address that the first note names. */
  address: Promise<string>;
}

function start(): Started {
  const lines: string[] = [];
  const controller = new AbortController();
  let found: (address: string) => void = () => undefined;
  const address = new Promise<string>((resolve) => {
    found = resolve;
  });
  const emit: CommandContext["emit"] = (event) => {
    if (event.type !== "note" && event.type !== "warning") return;
    lines.push(event.message);
    const [, named] = /HF_ENDPOINT=([^)]+)\)/.exec(event.message) ?? [];
    if (named !== undefined) found(named);
  };
  const python = () => Promise.reject(new Error("not asked for"));
  return { context: { signal: controller.signal, emit, home: "", python }, lines, controller, address };
}

const flags = (registry: string, more: Partial<ServeFlags> = {}): ServeFlags => ({
  artifacts: "artifacts",
  registry,
  host: "127.0.0.1",
  port: 0,
  org: "local",
  ...more,
});

describe("registry serve", () => {
  test("tells its address, logs requests, and ends well when it is stopped", async () => {
    const { context, lines, controller, address } = start();
    const served = serveRegistry(flags(registry.root), context);
    const url = await address;
    expect((await fetch(`${url}/local/reranker/resolve/main/config.json`)).status).toBe(200);
    controller.abort("SIGINT");
    const { data, failure, text } = await served;
    expect(failure).toBeUndefined();
    expect(data).toEqual({ url, requests: 1, bytes: 21 });
    expect(text((value) => value as never)).toBe("served 1 requests, 21 B of files");
    expect(lines[1]).toMatch(/^GET \/local\/reranker\/resolve\/main\/config\.json 200 21 B \d+ ms$/);
  });

  test("takes its token from a file or a variable, and never shows it", async () => {
    const token = "hf_abcdefghijklmnopqrstuvwx";
    const file = join(await temporaryFolder(), "token");
    await writeFile(file, `${token}\n`);
    for (const from of ["file", "variable"] as const) {
      vi.stubEnv("RERANK_TUNE_SERVE_TOKEN", from === "variable" ? token : "");
      onTestFinished(() => void vi.unstubAllEnvs());
      const { context, lines, controller, address } = start();
      const served = serveRegistry(flags(registry.root, from === "file" ? { tokenFile: file } : {}), context);
      const api = `${await address}/api/models`;
      expect((await fetch(api)).status, from).toBe(401);
      expect((await fetch(api, { headers: { Authorization: `Bearer ${token}` } })).status, from).toBe(200);
      controller.abort("SIGTERM");
      expect(JSON.stringify([await served, lines])).not.toContain(token);
    }
  });

  test("refuses a token that is too short or not there, without showing it", async () => {
    const file = join(await temporaryFolder(), "token");
    for (const text of ["short", "", "with a space in between", "zwölfmalzwölfmal"]) {
      await writeFile(file, text);
      const refused = serveRegistry(flags(registry.root, { tokenFile: file }), start().context);
      await expect(refused, text).rejects.toMatchObject({ code: "USAGE" });
      if (text !== "") await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining(text) });
    }
    await rm(file);
    await expect(serveRegistry(flags(registry.root, { tokenFile: file }), start().context)).rejects.toMatchObject({
      code: "USAGE",
    });
  });

  test("warns when it listens beyond this machine without a token", async () => {
    vi.stubEnv("RERANK_TUNE_SERVE_TOKEN", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    const { context, lines, controller, address } = start();
    const served = serveRegistry(flags(registry.root, { host: "0.0.0.0" }), context);
    await address;
    controller.abort("SIGINT");
    await served;
    expect(lines[0]).toContain("whoever reaches 0.0.0.0 can read every model");
  });

  test("says when the port is taken", async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    await expect(serveRegistry(flags(registry.root, { port }), start().context)).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--port 0"),
    });
  });
});

describe("registry view", () => {
  const view = (registry: string, folder: string, more: { check?: boolean } = {}) =>
    viewRegistry("folders", folder, [], { artifacts: "artifacts", registry, org: "local", ...more }, start().context);

  test("says what it holds and how to read it, then that nothing differs", async () => {
    const folder = join(await temporaryFolder(), "view");
    const built = await view(registry.root, folder);
    const text = built.text((value) => value as never);
    expect(text).toMatch(/holds {4}2 versions, 9 files, \d+ B/);
    expect(text).toContain("text-embeddings-router --model-id");
    expect(built.essential).toBe(folder);
    const checked = await view(registry.root, folder, { check: true });
    expect([checked.essential, checked.failure]).toEqual(["same", undefined]);
  });

  test("fails with the places that differ", async () => {
    const folder = join(await temporaryFolder(), "view");
    await view(registry.root, folder);
    await writeFile(join(folder, "reranker", "stray"), "x");
    const { failure, essential } = await view(registry.root, folder, { check: true });
    expect(essential).toBe("differs");
    expect(failure).toMatchObject({ code: "VIEW_DIFFERS", exitCode: 3, problems: [{ path: "reranker/stray" }] });
  });
});
