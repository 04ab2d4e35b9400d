// A pipeline folder with three finished stages over a few test queries, written through the store itself.
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Artifact, ArtifactStore } from "../../../src/artifacts/store.js";
import type { Group } from "../../../src/dataset/groups.js";

export const RECIPE = "tiny-tickets-ce";
export const SECRET = "Mandant Muster gegen Beispiel AG";

/** Two candidates a query, the relevant one second in the first stage: NDCG@10 there is 1 / log2(3). */
export const groups: Group[] = ["q1", "q2", "q3"].map((query_id) => ({
  query_id,
  query: `${SECRET} ${query_id}`,
  source: "Muster Treuhand",
  passages: [
    { id: `${query_id}-no`, text: `${SECRET} no`, label: 0, source: "bm25", rank: 1 },
    { id: `${query_id}-yes`, text: `${SECRET} yes`, label: 1, source: "bm25", rank: 2 },
  ],
}));

export interface TrainParts {
  started?: string;
  /** Scores of no and yes, query by query. */
  tuned?: [number, number][];
  base?: [number, number][];
  output?: Record<string, unknown>;
  history?: string;
  /** records/interpolation.json, as Python writes it. */
  sweep?: string;
  prepare: Artifact;
}

const HISTORY = `{"step": 0, "loss": null, "learning_rate": null, "gradient_norm": null, "dev_ndcg@10": 0.25}
{"step": 5, "loss": 1.5, "learning_rate": 2e-05, "gradient_norm": NaN}
{"step": 10, "loss": 1.0, "learning_rate": 1e-05, "gradient_norm": 4.0, "dev_ndcg@10": 0.5}
`;

export class PipelineFolder {
  readonly store: ArtifactStore;

  constructor(readonly root: string) {
    this.store = new ArtifactStore(root, RECIPE);
  }

  async prepare(test: readonly Group[] = groups): Promise<Artifact> {
    const lines = test.map((group) => `${JSON.stringify(group)}\n`).join("");
    return await this.commit(
      "01-prepare",
      "prepare",
      { "groups.test.jsonl": lines },
      {
        options: { source: "source:prepare.source", seed: 7, split: { dev: 0.1 }, run: "runs/of-muster.trec" },
        output: {
          queries: { train: 8, dev: 2, test: test.length },
          pairs: { train: 64, dev: 4, test: 2 * test.length },
          first_stage: { name: "retriever-of-muster", recall_at_depth: 1 },
        },
      },
    );
  }

  async train({
    prepare,
    tuned = [
      [0, 1],
      [0, 1],
      [1, 0],
    ],
    base,
    output,
    history = HISTORY,
    sweep,
    started,
  }: TrainParts): Promise<Artifact> {
    const files = {
      "records/history.jsonl": history,
      "records/throughput.json": JSON.stringify({
        train_seconds: 12.5,
        train_tokens_per_second: null,
        peak_memory_bytes: 1e9,
      }),
      ...(sweep === undefined ? {} : { "records/interpolation.json": sweep }),
      ...(tuned.length === 0 ? {} : { "scores.tuned.test.tsv": scoreFile(tuned) }),
      ...(base === undefined ? {} : { "scores.base.test.tsv": scoreFile(base) }),
    };
    return await this.commit("02-train", "train", files, {
      started,
      inputs: { prepare: prepare.manifest.digest },
      options: { learning_rate: 2e-5, base_dir: "source:base_model", base_identity: "hub:owner/name@abc" },
      output: {
        base_is_reranker: base !== undefined,
        model_type: "bert",
        parameters: 1000,
        steps: 10,
        best_step: 10,
        ended: "finished",
        device: "cpu",
        precision: "fp32",
        ...output,
      },
    });
  }

  async verify(prepare: Artifact, train: Artifact, output: unknown): Promise<Artifact> {
    return await this.commit(
      "06-verify",
      "verify",
      { "verdict.json": "{}" },
      {
        inputs: { prepare: prepare.manifest.digest, train: train.manifest.digest },
        options: { guard: ["source:verify.guard"] },
        output,
      },
    );
  }

  private commits = 0;

  async commit(folder: string, stage: string, files: Record<string, string>, about: Record<string, unknown>) {
    this.commits += 1;
    const key = String(this.commits).padStart(64, "0").split("").reverse().join("");
    const { dir } = await this.store.begin(join(this.store.folder, folder), key, false);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), text);
    }
    const started = (about.started as string | undefined) ?? `2026-01-01T00:00:0${this.commits}.000Z`;
    return await this.store.commit(dir, {
      schema: 1,
      stage,
      version: 1,
      key,
      options: about.options,
      inputs: (about.inputs as Record<string, string> | undefined) ?? {},
      sources: {},
      tools: { python_lock: "0".repeat(64), host: "Some CPU" },
      output: about.output,
      started,
      seconds: 1,
      host: "Some CPU, 2 cores",
      rerank_tune: "0.1.0",
    });
  }
}

const scoreFile = (scores: readonly [number, number][]): string =>
  scores
    .map(([no, yes], index) => `q${index + 1}\tq${index + 1}-no\t${no}\nq${index + 1}\tq${index + 1}-yes\t${yes}\n`)
    .join("");
