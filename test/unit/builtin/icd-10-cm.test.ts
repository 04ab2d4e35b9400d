import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { inclusionTerms, readTabularList, writeBeir } from "../../../src/builtin/icd-10-cm.js";

/** A hand-written list in the form of icd10c-tabular-*.xml. */
const XML = `<?xml version="1.0" encoding="utf-8"?>
<ICD10CM.tabular>
  <version>2026</version>
  <chapter>
    <name>13</name><desc>Diseases of the joints (M00-M99)</desc>
    <section id="M00-M02">
      <desc>Infectious arthropathies (M00-M02)</desc>
      <diag>
        <name>M02</name><desc>Reactive arthropathies</desc>
        <diag>
          <name>M02.3</name><desc>Reiter&#39;s disease</desc>
          <inclusionTerm><note>Reactive arthritis</note><note>Reactive arthritis</note></inclusionTerm>
          <diag>
            <name>M02.31</name><desc>Reiter's disease, shoulder</desc>
            <inclusionTerm><note>Arthritis &amp; urethritis, shoulder</note></inclusionTerm>
          </diag>
        </diag>
        <diag>
          <name>M02.8</name><desc>Other reactive arthropathies</desc>
          <inclusionTerm><note>Reiter's Disease</note></inclusionTerm>
          <inclusionTerm><note>reactive arthritis</note></inclusionTerm>
        </diag>
      </diag>
    </section>
  </chapter>
</ICD10CM.tabular>`;

describe("the ICD-10-CM tabular list", () => {
  test("gives every code with the descriptions of its ancestors, leaving out those that add no word", () => {
    expect(readTabularList(XML).map(({ code, passage }) => [code, passage])).toEqual([
      ["M02", "Reactive arthropathies"],
      ["M02.3", "Reiter's disease; Reactive arthropathies"],
      ["M02.31", "Reiter's disease, shoulder; Reactive arthropathies"],
      ["M02.8", "Other reactive arthropathies"],
    ]);
  });

  test("gives each inclusion term once, with all its codes, and none that is the description of a code", () => {
    expect(inclusionTerms(readTabularList(XML))).toEqual([
      { text: "Reactive arthritis", codes: ["M02.3", "M02.8"] },
      { text: "Arthritis & urethritis, shoulder", codes: ["M02.31"] },
    ]);
  });

  test("becomes a BEIR folder whose group keys are the codes", async () => {
    const folder = await mkdtemp(join(tmpdir(), "icd-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await writeBeir(readTabularList(XML), folder);
    expect(await readFile(join(folder, "queries.jsonl"), "utf8")).toBe(
      '{"_id":"t1","text":"Reactive arthritis","group":["M02.3","M02.8"]}\n{"_id":"t2","text":"Arthritis & urethritis, shoulder","group":["M02.31"]}\n',
    );
    expect(await readFile(join(folder, "qrels/all.tsv"), "utf8")).toBe(
      "query-id\tcorpus-id\tscore\nt1\tM02.3\t1\nt1\tM02.8\t1\nt2\tM02.31\t1\n",
    );
    expect((await readFile(join(folder, "corpus.jsonl"), "utf8")).split("\n")[1]).toBe(
      '{"_id":"M02.3","text":"Reiter\'s disease; Reactive arthropathies"}',
    );
  });

  test.each(["<html><body/></html>", "<ICD10CM.tabular><chapter>"])("that is none is refused: %s", (xml) => {
    expect(() => readTabularList(xml)).toThrow(expect.objectContaining({ code: "DATA_INVALID" }));
  });
});
