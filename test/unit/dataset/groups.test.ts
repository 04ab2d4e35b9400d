import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { clustersOfGroups, type Group, readAllGroups, writeGroups } from "../../../src/dataset/groups.js";

test("groups come back as they were written, whatever characters they hold", async () => {
  const folder = await mkdtemp(join(tmpdir(), "groups-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "groups.jsonl");
  const groups: Group[] = Array.from({ length: 300 }, (_, index) => ({
    query_id: `q${index}`,
    query: "line\u2028separator\nand \u2029 \r return",
    passages: [{ id: "p", text: `über ${"東京 ".repeat(index)}`, label: 1, source: "judged", rank: 1 }],
  }));
  await writeGroups(file, groups);
  expect(await readAllGroups(file)).toEqual(groups);
});

test("groups that cannot be written fail instead of waiting", async () => {
  const group: Group = { query_id: "q", query: "x".repeat(100_000), passages: [] };
  await expect(writeGroups("/nowhere/groups.jsonl", Array(10).fill(group))).rejects.toMatchObject({ code: "ENOENT" });
});

test("groups without a cluster get a number that no cluster has", () => {
  expect(clustersOfGroups([{ cluster: 1 }, {}, { cluster: 1 }, {}, { cluster: 2 }])).toEqual([1, -2, 1, -4, 2]);
});
