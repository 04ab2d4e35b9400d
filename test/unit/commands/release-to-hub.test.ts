// `publish NAME --to hub:...` as the command line calls it: plan, question, release, and no token in what is printed.
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { release } from "../../../src/commands/release.js";
import { releasable } from "../../helpers/releasable.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";
import { type HubServer, startHubServer, TOKEN } from "../../stand-ins/hub/server.js";

let hub: HubServer;
let registry: string;

beforeEach(async () => {
  hub = await startHubServer();
  registry = join(await temporaryFolder(), "registry");
  await releasable(registry);
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_TOKEN", TOKEN);
  onTestFinished(async () => {
    vi.unstubAllEnvs();
    await hub.close();
  });
});

const command = (flags: object) =>
  release(
    "tiny",
    { to: "hub:acme/tiny", registry, ...flags } as unknown as Parameters<typeof release>[1],
    {
      signal: new AbortController().signal,
      emit: () => undefined,
    } as unknown as Parameters<typeof release>[2],
  );

describe("publish --to hub:", () => {
  test("--dry-run prints the plan with the int8 twin, in 80 columns, and sends nothing", async () => {
    const shown = await command({ dryRun: true });
    const text = shown.text({} as never);
    expect(text).toContain("create the private repository acme/tiny");
    expect(text).toContain("commit to int8: 3 files, then read back");
    expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(JSON.stringify(shown.data)).not.toContain(TOKEN);
    expect(hub.store.repositories.size).toBe(0);
  });

  test("without a terminal and --yes nothing is released, and the error carries the plan", async () => {
    await expect(command({ json: true })).rejects.toMatchObject({
      code: "USAGE",
      data: { plan: { target: "hub:acme/tiny" } },
    });
    expect(hub.store.repositories.size).toBe(0);
  });

  test("--yes releases; the document has plan and result and no token", async () => {
    const shown = await command({ yes: true, json: true });
    expect(shown.data).toMatchObject({ release: { revision: hub.store.history("acme/tiny", "main")[0]?.oid } });
    expect(shown.text({} as never)).toContain("released  ");
    expect(JSON.stringify(shown.data)).not.toContain(TOKEN);
  });
});
