import { describe, expect, test } from "vitest";
import { queriesOf } from "../../../../src/data-tools/synthesize/replies.js";

const PASSAGE = "The deposit is returned within thirty days after the end of the lease.";

function said(content: unknown, most = 5, finish = "stop") {
  return queriesOf({ choices: [{ message: { content }, finish_reason: finish }] }, PASSAGE, most);
}

describe("the queries in a reply", () => {
  test.each([
    ["plain lines", "when do I get my deposit back\nhow long is a deposit kept"],
    ["numbers", "1. when do I get my deposit back\n2) how long is a deposit kept"],
    ["bullets and empty lines", "- when do I get my deposit back\n\n* how long is a deposit kept\n"],
    ["quotes", '"when do I get my deposit back"\n„how long is a deposit kept“'],
    ["a preface", "Here are two queries:\nwhen do I get my deposit back\nhow long is a deposit kept"],
    ["labels", "Query 1: when do I get my deposit back\nQuery 2: how long is a deposit kept"],
    ["JSON", '["when do I get my deposit back", "how long is a deposit kept"]'],
    ["fenced JSON", '```json\n["when do I get my deposit back", "how long is a deposit kept"]\n```'],
    [
      "a thought",
      "<think>\nThe user wants queries.\n</think>\nwhen do I get my deposit back\nhow long is a deposit kept",
    ],
    ["a repetition", "when do I get my deposit back\nwhen do I get my deposit back\nhow long is a deposit kept"],
  ])("are found in spite of %s", (_, content) => {
    expect(said(content)).toEqual({
      queries: ["when do I get my deposit back", "how long is a deposit kept"],
      copied: 0,
    });
  });

  test("are no more than were asked for", () => {
    expect(said("one query\nanother query\na third query", 2).queries).toEqual(["one query", "another query"]);
  });

  test("keep quotes and numbers that belong to them", () => {
    expect(said('what does "AHV" mean').queries).toEqual(['what does "AHV" mean']);
    expect(said("30 days after the lease").queries).toEqual(["30 days after the lease"]);
  });

  test.each([
    ["nothing", ""],
    ["no text", null],
    ["parts instead of a text", [{ type: "text", text: "a query" }]],
    ["a thought that never ended", "<think>\nI could ask for the deposit"],
    ["an essay", `It is about deposits ${"and leases ".repeat(40)}`],
    ["signs", "?\n...\n--"],
  ])("are none where the model wrote %s", (_, content) => {
    expect(said(content)).toEqual({ queries: [], copied: 0 });
  });

  test("leave out the half line of a reply that was cut", () => {
    expect(said("how long is a deposit kept\nwhen do I get my dep", 5, "length").queries).toEqual([
      "how long is a deposit kept",
    ]);
  });

  test("copied out of the passage are counted and left out; a name may be copied", () => {
    expect(said("Returned within thirty days after the end?\nend of the lease")).toEqual({
      queries: ["end of the lease"],
      copied: 1,
    });
  });
});
