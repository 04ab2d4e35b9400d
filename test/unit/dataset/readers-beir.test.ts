import { describe, expect, test } from "vitest";
import { readLabelledData } from "../../../src/dataset/readers/detect.js";
import { folderWith, jsonl, judged, places } from "../../helpers/labelled-files.js";

const FOLDER = {
  "corpus.jsonl": jsonl([
    { _id: "BGE 145 II 1", title: "Baubewilligung", text: "Öffentliche Auflage.", metadata: {} },
    { _id: "d2", title: "Nur ein Titel", text: "" },
  ]),
  "queries.jsonl": jsonl([{ _id: "q 1", text: "Fällt das Vorhaben darunter?", lang: "de", group: "RPG" }]),
  "qrels/all.tsv": "query-id\tcorpus-id\tscore\nq 1\tBGE 145 II 1\t1\nq 1\td2\t0\n",
};

describe("a BEIR folder in the wild", () => {
  test("may have spaces in ids and passages that are all title", async () => {
    const data = await readLabelledData(await folderWith(FOLDER), "auto");
    expect(data.findings.fatal.total).toBe(0);
    expect(judged(data)).toEqual([
      ["Fällt das Vorhaben darunter?", "Baubewilligung Öffentliche Auflage.", 1],
      ["Fällt das Vorhaben darunter?", "Nur ein Titel", 0],
    ]);
    expect([data.partsOf(0), data.partsOf(1)]).toEqual([
      { title: "Baubewilligung", text: "Öffentliche Auflage." },
      { text: "Nur ein Titel" },
    ]);
    expect(data.queries[0]).toMatchObject({ id: "q 1", lang: "de", groups: ["RPG"] });
    expect(Object.fromEntries(data.unusedFields)).toEqual({ "corpus.metadata": 1 });
  });

  test("names judgement files that are no split's instead of passing them over", async () => {
    const data = await readLabelledData(await folderWith({ ...FOLDER, "qrels/extra.tsv": "q 1\td2\t1\n" }), "auto");
    expect(data.adjusted.listed).toMatchObject([{ message: "is named after no split and is not read" }]);
  });

  test("with judgements both in a split and outside is fatal: the latter would stand on no side", async () => {
    const data = await readLabelledData(
      await folderWith({
        ...FOLDER,
        "queries.jsonl": jsonl([
          { _id: "a", text: "A" },
          { _id: "b", text: "B" },
        ]),
        "qrels/all.tsv": "a\td2\t1\n",
        "qrels/train.tsv": "b\td2\t1\n",
      }),
      "auto",
    );
    expect(places(data.findings.fatal)).toEqual(["1 split"]);
  });
});
