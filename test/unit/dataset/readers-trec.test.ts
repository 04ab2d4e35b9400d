import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readLabelledData } from "../../../src/dataset/readers/detect.js";
import { folderWith, jsonl, judged, places } from "../../helpers/labelled-files.js";

const CORPUS = jsonl([
  { id: "d1", title: "Miete", contents: "Die Kaution ist begrenzt." },
  { id: "d2", contents: "賃貸契約" },
  { id: "d3", contents: "Äpfel" },
]);
const FOLDER = {
  "corpus.jsonl": CORPUS,
  "queries.tsv": "1\tHöhe der Kaution\n2\t契約の解除\n3\tunbeurteilt\n",
  "qrels.txt": "1 0 d1 2\n1 0 d3 -2\n2 0 d2 1\n",
};

describe("a TREC folder", () => {
  test("gives judged passages with grades, titles and ids; labels below 0 count as 0 and are counted", async () => {
    const data = await readLabelledData(await folderWith(FOLDER), "auto");
    expect(data.format).toBe("trec");
    expect(judged(data)).toEqual([
      ["Höhe der Kaution", "Miete Die Kaution ist begrenzt.", 2],
      ["Höhe der Kaution", "Äpfel", 0],
      ["契約の解除", "賃貸契約", 1],
    ]);
    expect(data.queries.map(({ id, split }) => [id, split])).toEqual([
      ["1", undefined],
      ["2", undefined],
    ]);
    expect(places(data.adjusted)).toEqual(["2 score"]);
    expect(data.queryIds.size).toBe(3);
  });

  test("takes what a run retrieved and nobody judged as negatives, in the order of the run, and says so", async () => {
    const run = "1 Q0 d3 1 9 bm25\n1 Q0 d2 2 7 bm25\n2 Q0 d1 2 3 bm25\n2 Q0 d3 1 5 bm25\n9 Q0 d1 1 1 bm25\n";
    const data = await readLabelledData(await folderWith({ ...FOLDER, "run.bm25.txt": run }), "auto");
    const sources = data.queries.map((query) =>
      [...query.judgements].map(([passage, { label, source, line }]) => [
        data.passageIds[passage],
        label,
        source,
        line,
      ]),
    );
    expect(sources).toEqual([
      [
        ["d1", 2, undefined, 1],
        ["d3", 0, undefined, 2],
        ["d2", 0, "run", 2],
      ],
      [
        ["d2", 1, undefined, 3],
        ["d3", 0, "run", 4],
        ["d1", 0, "run", 3],
      ],
    ]);
    expect(places(data.findings.unknown)).toEqual(["5"]);
  });

  test("may be packed, hold its corpus as a table and one qrels file a split", async () => {
    const data = await readLabelledData(
      await folderWith({
        "collection.tsv.gz": gzipSync("d1\teins\nd2\tzwei\n"),
        "topics.jsonl": jsonl([
          { qid: "a", query: "A?" },
          { qid: "b", query: "B?", lang: "de" },
        ]),
        "qrels.train.txt": "a 0 d1 1\n",
        "qrels.test.txt": "b\t0\td2\t1\n",
      }),
      "auto",
    );
    expect(data.queries).toMatchObject([
      { id: "a", split: "train" },
      { id: "b", split: "test", lang: "de" },
    ]);
  });

  test("names every row that is malformed or names something unknown", async () => {
    const data = await readLabelledData(
      await folderWith({
        ...FOLDER,
        "queries.tsv": "1\tHöhe der Kaution\nohne Tabulator\n",
        "qrels.txt": "1 0 d1 2\n1 0 d1\n7 0 d9 1\n1 0 d2 gut\n",
      }),
      "trec",
    );
    const found = data.findings.fatal.listed.map(({ file, line }) => `${file?.split("/").at(-1)}:${line}`);
    expect(found).toEqual(["queries.tsv:2", "qrels.txt:2", "qrels.txt:3", "qrels.txt:3", "qrels.txt:4"]);
  });

  test.each([
    ["corpus.jsonl", "has no corpus"],
    ["queries.tsv", "has no queries"],
  ] as const)("without %s says what is missing", async (part, message) => {
    const { [part]: _left, ...rest } = FOLDER;
    await expect(readLabelledData(await folderWith(rest), "auto")).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining(message),
    });
  });

  test("with two corpora asks which", async () => {
    await expect(
      readLabelledData(await folderWith({ ...FOLDER, "collection.tsv": "d1\tx\n" }), "auto"),
    ).rejects.toMatchObject({ message: expect.stringContaining("both collection.tsv and corpus.jsonl") });
  });
});
