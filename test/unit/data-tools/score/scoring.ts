// What tests of `data score` share: labelled data on disk, a server whose scores follow from the texts, and options for both.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type {
  EndpointTeacherOptions,
  ScoreContext,
  ScoreOptions,
  ScoreReport,
} from "../../../../src/data-tools/score/options.js";
import type { StageEvent } from "../../../../src/events.js";
import { writeJsonl } from "../../../helpers/mining.js";
import { type Answer, endpointFor, standIn } from "../endpoint/stand-in.js";

/** The score that every stand-in gives: depends on query and passage, and has digits to lose. */
export function scoreOf(query: string, text: string): number {
  return (text.length * 7 + query.length) / 13 - 4;
}

/** Answers as TEI does: best first, by place in the batch. */
export const tei: Answer = ({ query, texts }) =>
  texts.map((text, index) => ({ index, score: scoreOf(query, text) })).sort((left, right) => right.score - left.score);

/** Five queries with 1 to 5 passages each; the first passage is the relevant one. */
export async function labelledFile(folder: string): Promise<string> {
  const rows = [1, 2, 3, 4, 5].map((count) => ({
    query_id: `q${count}`,
    query: `query ${"x".repeat(count)}`,
    lang: "en",
    passages: Array.from({ length: count }, (_, at) => ({
      id: `p${count}-${at}`,
      text: `passage ${count} ${"y".repeat(at + 1)}`,
      label: at === 0 ? 1 : 0,
    })),
  }));
  return await writeJsonl(join(folder, "labelled.jsonl"), rows);
}

export async function teacherAt(
  answer: Answer,
  changes: Partial<EndpointTeacherOptions> = {},
): Promise<{ server: Awaited<ReturnType<typeof standIn>>; teacher: EndpointTeacherOptions }> {
  const server = await standIn(answer);
  const path = changes.api === "rerank" ? "/v1/rerank" : "/rerank";
  const endpoint = endpointFor(server.url, path);
  return { server, teacher: { api: "tei", endpoint, batch: 2, concurrency: 3, toLogits: false, ...changes } };
}

export function scoreOptions(
  folder: string,
  changes: Pick<ScoreOptions, "teacher"> & Partial<ScoreOptions>,
): ScoreOptions {
  const source = join(folder, "labelled.jsonl");
  return { source, format: "auto", out: join(folder, "scored.jsonl"), resume: false, ...changes };
}

/** The graded groups that a run wrote. */
export function groupsOf({ out }: ScoreReport): string {
  if (out === null) throw new Error("no groups were asked for");
  return out;
}

export interface TestContext extends ScoreContext {
  events: StageEvent[];
  stop(): void;
}

export function scoreContext(more: Partial<ScoreContext> = {}): TestContext {
  const controller = new AbortController();
  const events: StageEvent[] = [];
  const python = () => Promise.reject(new Error("no Python here"));
  const emit = (event: StageEvent) => void events.push(event);
  return { signal: controller.signal, stop: () => controller.abort("SIGINT"), emit, python, events, ...more };
}

export const warnings = ({ events }: TestContext): string[] =>
  events.flatMap((event) => (event.type === "warning" ? [event.message] : []));

/** Stands for the score job of the Python worker: a passage's score is the number of its words. */
export async function wordCounter(folder: string): Promise<Pick<ScoreContext, "python">> {
  const worker = join(folder, "worker.py");
  await writeFile(worker, WORKER);
  return {
    python: async () => ({ executable: process.env.RERANK_TUNE_TEST_PYTHON ?? "python3", worker, variables: {} }),
  };
}

const WORKER = `
import json, os, sys
job = json.load(open(sys.argv[2], encoding="utf-8"))
def send(type, seq, **fields):
    print(json.dumps({"v": 1, "seq": seq, "time": 0, "job": "score", "type": type, **fields}), flush=True)
send("hello", 0, worker_version="0", python="3", packages={}, device="cpu")
groups = [json.loads(line) for line in open(job["inputs"]["groups"], encoding="utf-8")]
with open(os.path.join(job["out_dir"], "scores.tsv"), "w", encoding="utf-8") as file:
    for group in groups:
        for passage in group["passages"]:
            file.write(f'{group["query_id"]}\\t{passage["id"]}\\t{len(passage["text"].split())}\\n')
pairs = sum(len(group["passages"]) for group in groups)
send("done", 1, outputs={"pairs": pairs, "pairs_at_max_length": 0, "seconds": 0.1, "device": "cpu"}, metrics={}, durations={})
`;
