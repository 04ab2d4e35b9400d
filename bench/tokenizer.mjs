// Our tokenizer and the JavaScript library's against the Rust one on real and hostile texts: whose ids differ, and how long each takes.
//
// run: npm run bench -- tokenizer TOKENIZER.json [--texts corpus.jsonl]... [--per-file 4000] [--rounds 5] [--hostile 20000]
// --texts takes JSON lines with `text` (and `title`), gzipped or not: the corpus of a BEIR folder. A text of 2,000 characters and more is long.
// Seconds are those of the process's CPU time, in turns in one run; a ratio below 1 is faster than Rust.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { Tokenizer } from "@huggingface/tokenizers";
import { percentile } from "../dist/ranking/statistics.js";
import { ExactTokenizer } from "../dist/tokenization/exact-tokenizer.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    texts: { type: "string", multiple: true, default: [] },
    "per-file": { type: "string", default: "4000" },
    rounds: { type: "string", default: "5" },
    hostile: { type: "string", default: "20000" },
  },
});
const [tokenizerFile] = positionals;
if (tokenizerFile === undefined) throw new Error("give a tokenizer.json");

const folder = mkdtempSync(join(tmpdir(), "tokenizer-bench-"));
try {
  await bench();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function bench() {
  const json = JSON.parse(readFileSync(tokenizerFile, "utf8"));
  const opened = performance.now();
  const ours = ExactTokenizer.from(json);
  const openedIn = performance.now() - opened;
  if (ours === undefined) throw new Error("this tokenizer is left to the library");
  const library = new Tokenizer(json, {});
  const systems = {
    ours: (text) => ours.encode(text),
    library: (text) => (text === "" ? [] : library.encode(text, { add_special_tokens: false }).ids),
  };
  const sets = textSets();
  const rust = await startRust(sets);
  process.stdout.write(
    `tokenizers ${rust.version}, Node ${process.version}, ${json.model.type}; ours opens in ${openedIn.toFixed(0)} ms\n`,
  );
  for (const [name, texts] of Object.entries(sets)) {
    const expected = JSON.parse(readFileSync(join(folder, `${name}.json.ids`), "utf8"));
    const seconds = { rust: [], ours: [], library: [] };
    const differing = {};
    for (const [system, encode] of Object.entries(systems))
      differing[system] = texts.filter((text, index) => !equal(encode(text), expected[index])).length;
    for (let round = 0; round < Number(values.rounds); round++) {
      seconds.rust.push(await rust.seconds(name));
      for (const [system, encode] of Object.entries(systems)) seconds[system].push(secondsOf(texts, encode));
    }
    report(name, texts, expected, differing, seconds);
  }
  rust.end();
}

function textSets() {
  const real = values.texts.flatMap((path) => {
    const bytes = readFileSync(path);
    const lines = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").split("\n");
    const rows = lines.filter((line) => line !== "").slice(0, Number(values["per-file"]));
    return rows.map((line) => JSON.parse(line)).map(({ title = "", text }) => `${title} ${text}`.trim());
  });
  const sets = {
    long: real.filter((text) => text.length >= 2000),
    short: real.filter((text) => text.length < 2000),
    hostile: [...hostileTexts(Number(values.hostile))],
  };
  return Object.fromEntries(Object.entries(sets).filter(([, texts]) => texts.length > 0));
}

/** Random characters of Unicode's first planes with marks, joiners and spaces between; another sequence than the tests'. */
function* hostileTexts(count) {
  let state = 1;
  const draw = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
  const between = [" ", "\u0301", "\u200d", "\u3099", "\u0651", "\n", "a", "ﬁ"];
  for (let index = 0; index < count; index++) {
    const start = draw(0x1fb) * 0x100;
    let text = "";
    for (let length = 1 + draw(60); length > 0; length--) {
      const code = draw(2) === 0 ? start + draw(0x100) : draw(0x20000);
      text +=
        draw(4) === 0 || (code >= 0xd800 && code < 0xe000) ? between[draw(between.length)] : String.fromCodePoint(code);
    }
    yield text;
  }
}

async function startRust(sets) {
  const files = Object.fromEntries(Object.keys(sets).map((name) => [name, join(folder, `${name}.json`)]));
  for (const [name, texts] of Object.entries(sets)) writeFileSync(files[name], JSON.stringify(texts));
  const python = process.env.RERANK_TUNE_TEST_PYTHON ?? "python3";
  const child = spawn(python, [join(import.meta.dirname, "tokenizer.py")], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TOKENIZERS_PARALLELISM: "false", RAYON_NUM_THREADS: "1" },
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (line) => {
    child.stdin.write(`${line}\n`);
    const { value, done } = await answers.next();
    if (done) throw new Error("the Rust half ended early");
    return JSON.parse(value);
  };
  const { version } = await ask(JSON.stringify({ tokenizer: tokenizerFile, sets: files }));
  return { version, seconds: async (name) => (await ask(name)).seconds, end: () => child.stdin.end() };
}

function secondsOf(texts, encode) {
  const before = process.cpuUsage();
  for (const text of texts) encode(text);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

function equal(ids, others) {
  return ids.length === others.length && ids.every((id, index) => id === others[index]);
}

function report(name, texts, expected, differing, seconds) {
  const characters = texts.reduce((sum, text) => sum + text.length, 0);
  const tokens = expected.reduce((sum, ids) => sum + ids.length, 0);
  process.stdout.write(`${name}: ${texts.length} texts, ${characters} characters, ${tokens} tokens\n`);
  const rust = percentile(seconds.rust, 0.5);
  process.stdout.write(`  rust     ${(characters / rust / 1e6).toFixed(2)} million characters a second\n`);
  for (const system of ["ours", "library"]) {
    const ratios = seconds[system].map((value, round) => value / seconds.rust[round]);
    process.stdout.write(
      `  ${system.padEnd(8)} ${differing[system]} texts with other ids; ${percentile(ratios, 0.5).toFixed(2)} of Rust's time (${Math.min(...ratios).toFixed(2)}-${Math.max(...ratios).toFixed(2)})\n`,
    );
  }
}
