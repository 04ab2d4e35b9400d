import { describe, expect, test } from "vitest";
import { judged, places, readRowsOf } from "../../helpers/labelled-files.js";

const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });

describe("ms-swift rows", () => {
  test("take the query from the user's message and a passage from every conversation", async () => {
    const data = await readRowsOf([
      {
        messages: [user("Was ist eine Rückstellung?")],
        positive_messages: [[assistant("Eine ungewisse Verbindlichkeit.")], [assistant("Siehe OR 960e.")]],
        negative_messages: [[assistant("引当金ではない")]],
      },
    ]);
    expect(data.format).toBe("ms_swift");
    expect(judged(data)).toEqual([
      ["Was ist eine Rückstellung?", "Eine ungewisse Verbindlichkeit.", 1],
      ["Was ist eine Rückstellung?", "Siehe OR 960e.", 1],
      ["Was ist eine Rückstellung?", "引当金ではない", 0],
    ]);
  });

  test("leave system messages out and count them", async () => {
    const data = await readRowsOf([
      { messages: [{ role: "system", content: "Judge." }, user("q")], positive_messages: [[user("p")]] },
    ]);
    expect(judged(data)).toEqual([["q", "p", 1]]);
    expect(places(data.adjusted)).toEqual(["1 messages"]);
  });

  test("name longer conversations, contents that are no text and missing sides", async () => {
    const data = await readRowsOf(
      [
        { messages: [user("q"), assistant("a"), user("r")], positive_messages: [[assistant("p")]] },
        { messages: [user("q")], positive_messages: [[assistant(["p"])], "p"], negative_messages: "n" },
        { messages: [user("q")] },
      ],
      "ms_swift",
    );
    expect(places(data.findings.fatal)).toEqual([
      "1 messages",
      "2 positive_messages",
      "2 positive_messages",
      "2 negative_messages",
      "3 positive_messages",
    ]);
  });
});
