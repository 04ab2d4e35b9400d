// What each way to trim a vocabulary keeps of it, how texts fare that it was not cut to, and the size that a reranker of bge's shape would have.
//
// run: npm run bench -- vocabulary TOKENIZER.json --languages de fr it en --corpus FILE... --check FILE...
// Files as for `rerank-tune trim`: JSON lines (every string counts) or plain lines, gzipped or not. Sizes are arithmetic, not files.
import { readFileSync } from "node:fs";
import { textsOf } from "../dist/trim/texts.js";
import { trimVocabulary } from "../dist/trim/vocabulary.js";

const given = argumentsOf(process.argv.slice(2));
const [tokenizerFile] = given.positionals;
if (tokenizerFile === undefined) throw new Error("give a tokenizer.json");
const json = JSON.parse(readFileSync(tokenizerFile, "utf8"));
const corpus = () => textsOf(given.corpus);
const check = () => textsOf(given.check);

/** XLM-RoBERTa large with one label: 24 layers of 12,596,224 weights, the head, types and norms; positions apart. */
const ROW_BYTES = 1024 + 4;
const OTHERS = 24 * 12_596_224 + 1_049_600 + 1_025 + 3 * 1024;
const POSITIONS = 8194 * 1024 * 2;

const line = (...cells) =>
  process.stdout.write(
    `${cells.map((cell, index) => String(cell)[index === 0 ? "padEnd" : "padStart"](index === 0 ? 26 : 18)).join("")}\n`,
  );
const count = (value) => value.toLocaleString("en-US");
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

process.stdout.write(
  `${count(json.model.vocab.length)} pieces; languages ${given.languages.join(" ")}; Node ${process.version}\n`,
);
line("kept", "pieces", "int8", "and positions", "cut otherwise", "tokens before", "tokens after", "more unknown");
for (const keep of ["characters", "used"]) {
  await measure(`--languages, ${keep}`, { languages: given.languages, keep });
  await measure(`--corpus, ${keep}`, { languages: [], corpus, keep });
  await measure(`both, ${keep}`, { languages: given.languages, corpus, keep });
}

async function measure(name, options) {
  const signal = new AbortController().signal;
  const { kept, unseen } = await trimVocabulary(json, tokenizerFile, {
    ...options,
    check,
    signal,
    emit: () => undefined,
  });
  const bytes = OTHERS + kept.length * ROW_BYTES;
  const { texts, cut_otherwise, tokens, more_unknown } = unseen;
  const share = `${count(cut_otherwise)} of ${count(texts)}`;
  line(
    name,
    count(kept.length),
    megabytes(bytes),
    megabytes(bytes + POSITIONS),
    share,
    count(tokens.before),
    count(tokens.after),
    count(more_unknown),
  );
}

/** Options take all words up to the next one. */
function argumentsOf(words) {
  const found = { positionals: [], languages: [], corpus: [], check: [] };
  let name = "positionals";
  for (const word of words) {
    if (word.startsWith("--")) name = word.slice(2);
    else if (found[name] === undefined) throw new Error(`--${name} is no option here`);
    else found[name].push(word);
  }
  return found;
}
