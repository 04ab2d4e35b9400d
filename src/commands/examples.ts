// One line to copy for each command that cannot do without options: shown in its help, and where one is missing.
import type { Command } from "commander";

/** By the words of the command. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  init: "rerank-tune init recipe.yaml --data pairs.jsonl",
  eval: "rerank-tune eval --model ./reranker --data shop --split test",
  trim: "rerank-tune trim ./bge-reranker-v2-m3 --corpus corpus.jsonl queries.jsonl --out ./bge-trimmed",
  "data import": "rerank-tune data import pairs.csv --out groups.jsonl",
  "data mine": "rerank-tune data mine groups.jsonl --corpus corpus.jsonl --model ./reranker --out mined.jsonl",
  "data score": "rerank-tune data score groups.jsonl --teacher ./reranker --scores base.tsv",
  "data split": "rerank-tune data split groups.jsonl --out sided",
  "data synthesize":
    "rerank-tune data synthesize corpus.jsonl --endpoint http://localhost:11434/v1 --model qwen3 --out synthetic.jsonl",
  "registry alias": "rerank-tune registry alias reranker:staging prod --reason 'passed the review'",
  "registry rollback": "rerank-tune registry rollback reranker:prod --reason 'slower than promised'",
  "registry protect": "rerank-tune registry protect reranker prod --reason 'serves clients'",
  "registry unprotect": "rerank-tune registry unprotect reranker prod --reason 'no longer serves'",
  "registry unalias": "rerank-tune registry unalias reranker staging --reason 'trial is over'",
  "registry remove": `rerank-tune registry remove reranker@sha256:${"0".repeat(64)} --reason 'never used'`,
  "registry sign": "rerank-tune registry sign reranker:prod --key keys/signer.pem",
};

/** The example of the command that `args` name; undefined where they name none, or one without required options. */
export function exampleFor(program: Command, args: readonly string[]): string | undefined {
  const words: string[] = [];
  let command = program;
  for (const argument of args) {
    const child = command.commands.find((one) => one.name() === argument);
    if (child === undefined) continue;
    words.push(argument);
    command = child;
  }
  return EXAMPLES[words.join(" ")];
}
