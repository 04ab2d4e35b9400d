import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { hashText } from "../../../../src/artifacts/hash.js";
import { synthesize } from "../../../../src/data-tools/synthesize/index.js";
import type { SynthesizeOptions, WriterOptions } from "../../../../src/data-tools/synthesize/options.js";
import { readLabelledData } from "../../../../src/dataset/readers/detect.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";
import { writeJsonl } from "../../../helpers/mining.js";
import { type Answer, type Asked, endpointFor, fails, type StandIn, standIn } from "../endpoint/stand-in.js";
import { scoreContext, wordCounter } from "../score/scoring.js";

const folder = folderPerTest();
const TOPICS = ["deposit", "heating", "garden", "parking", "laundry", "cellar", "balcony", "key", "mailbox", "lift"];

/** What the stand-in is asked about: the passage ends the built-in prompt. */
const topicOf = (body: Asked): string => /about the (\w+)/.exec(body.messages[0]?.content ?? "")?.[1] ?? "";
const says = (content: string) => ({ choices: [{ message: { role: "assistant", content }, finish_reason: "stop" }] });
const chat: Answer = (body) => says(`who cares for the ${topicOf(body)} of tenant ${topicOf(body).length}`);

beforeEach(async () => {
  const rows = TOPICS.map((topic, at) => ({
    _id: `d${at}`,
    title: `Rule ${at}`,
    text: `All that is said about the ${topic} here.`,
  }));
  await writeJsonl(join(folder(), "corpus.jsonl"), [...rows, { _id: "short", text: "page 7" }]);
});

interface Row {
  query_id: string;
  query: string;
  passages: { id: string; text: string; label: number; source: string }[];
  split: string;
  lang?: string;
  synthetic: Record<string, unknown>;
}

async function rowsOf(file: string): Promise<Row[]> {
  return (await readFile(file, "utf8"))
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
}

function optionsFor(
  server: StandIn,
  changes: Partial<SynthesizeOptions> = {},
  writer: Partial<WriterOptions> = {},
): SynthesizeOptions {
  return {
    corpus: join(folder(), "corpus.jsonl"),
    out: join(folder(), "synthetic.jsonl"),
    writer: {
      endpoint: endpointFor(server.url, "/v1/chat/completions"),
      model: "small",
      concurrency: 2,
      temperature: 0.7,
      maxTokens: 64,
      language: "auto",
      ...writer,
    },
    perPassage: 1,
    count: 100,
    seed: 7,
    resume: false,
    ...changes,
  };
}

describe("queries for unlabelled passages", () => {
  test("are rows that a reader takes, for training alone, with where they come from", async () => {
    const server = await standIn(chat);
    const report = await synthesize(optionsFor(server), scoreContext());
    expect(report).toMatchObject({ asked: 10, too_short: 1, written: 10, kept: 10, rejected: null, unusable: 0 });
    const rows = await rowsOf(report.out);
    for (const { passages, split, synthetic } of rows) {
      expect(passages).toEqual([expect.objectContaining({ label: 1, source: "synthetic" })]);
      expect(split).toBe("train");
      expect(synthetic).toEqual({ model: "small", prompt_sha256: report.prompt_sha256, seed: 7, temperature: 0.7 });
    }
    const read = await readLabelledData(report.out, "auto");
    expect(read.findings.fatal.total).toBe(0);
    expect(read.queries.every(({ split, source }) => split === "train" && source === "synthetic")).toBe(true);
    const [judgement] = [...(read.queries[0]?.judgements.values() ?? [])];
    expect(judgement).toMatchObject({ label: 1, source: "synthetic" });
  });

  test("belong to the passage they were asked for, title and all", async () => {
    const server = await standIn(chat);
    const rows = await rowsOf((await synthesize(optionsFor(server), scoreContext())).out);
    for (const { query, passages } of rows) {
      const at = TOPICS.findIndex((topic) => query.includes(topic));
      expect(passages[0]).toMatchObject({
        id: `d${at}`,
        text: `Rule ${at} All that is said about the ${TOPICS[at]} here.`,
      });
    }
  });

  test("are asked for with model, temperature and a seed of the passage's own", async () => {
    const server = await standIn(chat);
    await synthesize(optionsFor(server, {}, { language: "de", temperature: 0 }), scoreContext());
    expect(server.requests[0]).toMatchObject({
      path: "/v1/chat/completions",
      body: { model: "small", temperature: 0, max_tokens: 64, stream: false },
    });
    expect(new Set(server.requests.map(({ body }) => body.seed)).size).toBe(10);
    expect(server.requests.every(({ body }) => body.messages[0]?.content.includes("Write in German"))).toBe(true);
    expect((await rowsOf(join(folder(), "synthetic.jsonl")))[0]?.lang).toBe("de");
  });

  test("are for the same passages under the same seed, for others under another", async () => {
    const ask = async (seed: number) => {
      const server = await standIn(chat);
      const out = join(folder(), `seed-${seed}-${server.url.slice(-5)}.jsonl`);
      return (await rowsOf((await synthesize(optionsFor(server, { seed, count: 3, out }), scoreContext())).out)).map(
        ({ query_id }) => query_id,
      );
    };
    const first = await ask(1);
    expect(await ask(1)).toEqual(first);
    expect(await ask(2)).not.toEqual(first);
    expect(first).toHaveLength(3);
  });

  test("come out the same however many are asked for at once", async () => {
    const [one, four] = [await standIn(chat), await standIn(chat)];
    const first = await synthesize(optionsFor(one, {}, { concurrency: 1 }), scoreContext());
    const second = optionsFor(four, { out: join(folder(), "four.jsonl") }, { concurrency: 4 });
    await synthesize(second, scoreContext());
    expect(await readFile(second.out, "utf8")).toBe(await readFile(first.out, "utf8"));
  });

  test("follow a prompt of one's own, whose digest they carry", async () => {
    const prompt = join(folder(), "prompt.txt");
    await writeFile(prompt, "Ask {count}: {passage}");
    const server = await standIn(chat);
    const report = await synthesize(optionsFor(server, {}, { promptFile: prompt }), scoreContext());
    expect(server.requests[0]?.body.messages[0]?.content).toMatch(/^Ask 1: Rule/);
    expect(report.prompt_sha256).toBe(hashText("Ask {count}: {passage}"));
  });

  test("that repeat a query of one's own, or one another, are left out", async () => {
    const avoid = await writeJsonl(join(folder(), "mine.jsonl"), [
      { query: "Who cares for the deposit of tenant 7?", passages: [{ text: "x", label: 1 }], split: "test" },
    ]);
    const server = await standIn((body, number, reply) =>
      ["key", "lift"].includes(topicOf(body)) ? says("what do they say of it all") : chat(body, number, reply),
    );
    const report = await synthesize(optionsFor(server, { avoid }), scoreContext());
    expect(report).toMatchObject({ written: 10, avoided: 1, duplicates: 1, kept: 8 });
    expect((await rowsOf(report.out)).some(({ query }) => query.includes("deposit"))).toBe(false);
  });

  test("that the model did not write are counted, not made up", async () => {
    const server = await standIn((body, number, reply) =>
      topicOf(body) === "key" ? says("Sorry:") : chat(body, number, reply),
    );
    expect(await synthesize(optionsFor(server), scoreContext())).toMatchObject({ unusable: 1, written: 9, kept: 9 });
  });
});

describe("a judge", () => {
  /** Scores a passage by its number of words: the round trip succeeds where the own passage is the longest candidate. */
  async function judged(keepTop: number, server: StandIn, changes: Partial<SynthesizeOptions> = {}) {
    const judge = join(folder(), "judge");
    await mkdir(judge, { recursive: true });
    await writeFile(join(judge, "config.json"), "{}");
    await writeFile(join(judge, "model.safetensors"), "weights");
    const options = optionsFor(server, { judge: { folder: judge, keepTop, depth: 5 }, ...changes });
    return await synthesize(options, scoreContext(await wordCounter(folder())));
  }

  beforeEach(async () => {
    // All share the word "rule"; they have 6, 7 and 8 words.
    const texts = [
      "rule about the key is here",
      "rule about the lift is here now",
      "rule about the attic is here just now",
    ];
    await writeJsonl(
      join(folder(), "corpus.jsonl"),
      texts.map((text, at) => ({ _id: `d${at}`, text })),
    );
  });
  const aboutRules: Answer = (body) => says(`which rule for ${topicOf(body)}`);

  test("keeps a query only when its passage comes first", async () => {
    const report = await judged(1, await standIn(aboutRules));
    expect(report).toMatchObject({ written: 3, rejected: 2, kept: 1 });
    const [row] = await rowsOf(report.out);
    expect(row).toMatchObject({ query: "which rule for attic", synthetic: { judge_rank: 1, judge_score: 8 } });
  });

  test("keeps more under a larger --keep-top, with the rank of each", async () => {
    const report = await judged(2, await standIn(aboutRules));
    const ranks = (await rowsOf(report.out)).map(({ query, synthetic }) => [query, synthetic.judge_rank]);
    expect(Object.fromEntries(ranks)).toEqual({ "which rule for lift": 2, "which rule for attic": 1 });
  });

  test("holds a tie against the query, but not a copy of its passage", async () => {
    await writeJsonl(join(folder(), "corpus.jsonl"), [
      { _id: "a", text: "rule about the key is here" },
      { _id: "b", text: "Rule about the key is here!" },
      { _id: "c", text: "rule about the lift is now" },
    ]);
    const report = await judged(2, await standIn(aboutRules), { count: 3 });
    // The two key passages give one query, whose copy is no rival; the lift has two rivals of the same length before it.
    const ranks = (await rowsOf(report.out)).map(({ query, synthetic }) => [query, synthetic.judge_rank]);
    expect(Object.fromEntries(ranks)).toEqual({ "which rule for key": 2 });
  });

  test("that rejects all leaves the replies for another try with --resume", async () => {
    await writeJsonl(join(folder(), "corpus.jsonl"), [
      { _id: "a", text: "rule about the key is here" },
      { _id: "b", text: "rule about the lift is now" },
    ]);
    const server = await standIn(aboutRules);
    await expect(judged(1, server)).rejects.toMatchObject({
      code: "DATA_INVALID",
      hint: expect.stringContaining("--resume"),
    });
    const asked = server.requests.length;
    expect(await judged(2, server, { resume: true })).toMatchObject({ kept: 2, resumed: 2 });
    expect(server.requests.length).toBe(asked);
  });
});

describe("a run that stops in the middle", () => {
  test("goes on with the same bytes, and asks for nothing twice", async () => {
    const whole = await synthesize(optionsFor(await standIn(chat), { out: join(folder(), "w.jsonl") }), scoreContext());
    const context = scoreContext();
    let hangs = true;
    const server = await standIn((body, number, reply) => {
      if (!hangs || number <= 4) return chat(body, number, reply);
      context.stop();
      return undefined;
    });
    const options = optionsFor(server, {}, { concurrency: 1 });
    await expect(synthesize(options, context)).rejects.toMatchObject({ code: "INTERRUPTED" });
    hangs = false;
    const before = server.requests.length;
    expect(await synthesize({ ...options, resume: true }, scoreContext())).toMatchObject({ resumed: 4, kept: 10 });
    expect(server.requests.length - before).toBe(6);
    expect(await readFile(options.out, "utf8")).toBe(await readFile(whole.out, "utf8"));
  });

  test("by a failing server keeps what came, and the work of another prompt is not mixed in", async () => {
    const server = await standIn((body, number, reply) => (number > 3 ? fails(reply, 400) : chat(body, number, reply)));
    const options = optionsFor(server, {}, { concurrency: 1 });
    await expect(synthesize(options, scoreContext())).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      hint: expect.stringContaining("--resume"),
    });
    const other = { ...options, perPassage: 2, resume: true };
    await expect(synthesize(other, scoreContext())).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("other options"),
    });
  });
});

describe("a server or corpus that is of no use", () => {
  test("is not asked a thousand times when nothing it says is usable", async () => {
    const rows = Array.from({ length: 60 }, (_, at) => ({
      _id: `d${at}`,
      text: `All that is said about the thing ${at}.`,
    }));
    await writeJsonl(join(folder(), "corpus.jsonl"), rows);
    const server = await standIn(() => says("<think>hm"));
    await expect(synthesize(optionsFor(server), scoreContext())).rejects.toMatchObject({
      code: "ENDPOINT_FAILED",
      message: expect.stringContaining("20 replies of small in a row"),
      hint: expect.stringContaining("--max-tokens"),
    });
    expect(server.requests.length).toBeLessThan(40);
  });

  test("that speaks another interface is named as such", async () => {
    const server = await standIn(() => ({ response: "a query" }));
    await expect(synthesize(optionsFor(server), scoreContext())).rejects.toMatchObject({
      message: expect.stringContaining("chat/completions"),
    });
    expect(existsSync(join(folder(), "synthetic.jsonl.work"))).toBe(false);
  });

  test("is refused when it is remote, before anything is read or sent", async () => {
    const remote = { ...(await standIn(chat)), url: "https://api.example.com" };
    await expect(synthesize(optionsFor(remote), scoreContext())).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--allow-remote"),
    });
    expect(existsSync(join(folder(), "synthetic.jsonl.work"))).toBe(false);
  });

  test("is named when it is missing or holds headings only", async () => {
    const server = await standIn(chat);
    const missing = { corpus: join(folder(), "none.jsonl") };
    await expect(synthesize(optionsFor(server, missing), scoreContext())).rejects.toMatchObject({
      code: "DATA_NOT_FOUND",
    });
    await mkdir(join(folder(), "empty"));
    await expect(
      synthesize(optionsFor(server, { corpus: join(folder(), "empty") }), scoreContext()),
    ).rejects.toMatchObject({ code: "DATA_NOT_FOUND", message: expect.stringContaining("no corpus.jsonl") });
    await writeJsonl(join(folder(), "corpus.jsonl"), [{ text: "page 1" }, { text: "page 2" }]);
    await expect(synthesize(optionsFor(server), scoreContext())).rejects.toMatchObject({ code: "DATA_INVALID" });
    expect(server.requests).toEqual([]);
  });
});
