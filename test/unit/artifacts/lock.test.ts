import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { acquireLock } from "../../../src/artifacts/lock.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

/** A process id that was alive a moment ago and is not any more. */
async function deadProcess(): Promise<number> {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  return child.pid ?? expect.unreachable("no process was started");
}

describe("a lock", () => {
  test("is held by one at a time", async () => {
    const path = join(await temporaryFolder(), ".lock");
    const release = await acquireLock(path);
    await expect(acquireLock(path)).rejects.toMatchObject({ code: "FOLDER_IN_USE" });
    await release();
    await (await acquireLock(path))();
  });

  test("is waited for when asked to", async () => {
    const path = join(await temporaryFolder(), ".lock");
    const release = await acquireLock(path);
    setTimeout(release, 100);
    await expect(acquireLock(path, { waitMs: 5000 })).resolves.toBeTypeOf("function");
  });

  test("of a dead process is taken over", async () => {
    const path = join(await temporaryFolder(), ".lock");
    await writeFile(path, JSON.stringify({ pid: await deadProcess(), host: hostname() }));
    await acquireLock(path);
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid, host: hostname() });
  });

  test("of another host is believed", async () => {
    const path = join(await temporaryFolder(), ".lock");
    await writeFile(path, JSON.stringify({ pid: await deadProcess(), host: "elsewhere" }));
    await expect(acquireLock(path)).rejects.toMatchObject({ message: expect.stringContaining("elsewhere") });
  });

  test("left by a dead process goes to one of many who want it", async () => {
    const path = join(await temporaryFolder(), ".lock");
    await writeFile(path, JSON.stringify({ pid: await deadProcess(), host: hostname() }));
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => acquireLock(path, { waitMs: 300 })));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("is not blocked by a takeover that was killed halfway", async () => {
    const path = join(await temporaryFolder(), ".lock");
    const dead = JSON.stringify({ pid: await deadProcess(), host: hostname() });
    await writeFile(path, dead);
    await writeFile(`${path}.takeover`, dead);
    await expect(acquireLock(path, { waitMs: 2000 })).resolves.toBeTypeOf("function");
  });

  test("whose writer died before its first byte is taken over after a while, not at once", async () => {
    const path = join(await temporaryFolder(), ".lock");
    await writeFile(path, "");
    await expect(acquireLock(path)).rejects.toMatchObject({ code: "FOLDER_IN_USE" });
    await utimes(path, new Date(Date.now() - 10_000), new Date(Date.now() - 10_000));
    await expect(acquireLock(path, { waitMs: 500 })).resolves.toBeTypeOf("function");
  });

  test("loses no update of those who take turns", async () => {
    const folder = await temporaryFolder();
    const counter = join(folder, "counter");
    await writeFile(counter, "0");
    const increment = async () => {
      const release = await acquireLock(join(folder, ".lock"), { waitMs: 20_000 });
      const value = Number(await readFile(counter, "utf8"));
      await writeFile(counter, String(value + 1));
      await release();
    };
    await Promise.all(Array.from({ length: 20 }, increment));
    expect(await readFile(counter, "utf8")).toBe("20");
  });
});
