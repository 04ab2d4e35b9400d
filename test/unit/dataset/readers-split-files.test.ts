import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readLabelledData } from "../../../src/dataset/readers/detect.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const pair = (query: string, more = "") => `{"query": "${query}", "passage": "p of ${query}", "label": 1${more}}\n`;

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = join(await temporaryFolder(), "parts");
  await mkdir(folder);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

describe("a folder with one file a side", () => {
  test("is read as one, each query on the side of its file", async () => {
    const folder = await folderWith({
      "train.jsonl": pair("a") + pair("b"),
      "dev.csv": "query,passage,label\nc,d,1\n",
      "test.jsonl": pair("e"),
      "split.json": "{}",
    });
    const { queries } = await readLabelledData(folder, "auto");
    expect(Object.fromEntries(queries.map(({ text, split }) => [text, split]))).toEqual({
      a: "train",
      b: "train",
      c: "dev",
      e: "test",
    });
  });

  test("names a query that stands on two sides", async () => {
    const folder = await folderWith({ "train.jsonl": pair("a"), "test.jsonl": pair("b") + pair("a") });
    const { findings } = await readLabelledData(folder, "auto");
    expect(findings.fatal.listed).toMatchObject([{ path: "split", line: 1 }]);
  });

  test("takes a side that a row says before that of its file", async () => {
    const folder = await folderWith({ "train.jsonl": pair("a") + pair("b", ', "split": "dev"') });
    const { queries } = await readLabelledData(folder, "auto");
    expect(queries.map(({ split }) => split)).toEqual(["train", "dev"]);
  });

  test("is no such folder when it holds a corpus", async () => {
    const folder = await folderWith({ "train.jsonl": pair("a"), "corpus.jsonl": '{"_id": "1", "text": "x"}\n' });
    await expect(readLabelledData(folder, "auto")).rejects.toMatchObject({ code: "DATA_INVALID" });
  });
});
