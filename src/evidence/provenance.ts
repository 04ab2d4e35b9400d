// SLSA provenance v1 with training as the build: https://slsa.dev/spec/v1.0/provenance. Pure; no paths, no file names and no texts of the user.
import { isObject, type JsonObject } from "../artifacts/json-value.js";
import type { BuildFacts } from "./build-records.js";
import { type Statement, type Subject, statement } from "./statement.js";

export const PROVENANCE_TYPE = "https://slsa.dev/provenance/v1";
/** What its fields mean: docs/guides/signing.md. */
export const BUILD_TYPE = "urn:rerank-tune:build:reranker:v1";
const BUILDER = "urn:rerank-tune:builder:local:v1";

export interface ProvenanceInput {
  subjects: readonly Subject[];
  /** `hub:owner/name@commit`, `builtin:name` or `local:folder`. */
  base_model: string;
  recipe: JsonObject;
  /** Digests of the splits. */
  data: JsonObject;
  host: string;
  versions: Record<string, string>;
  rerank_tune: string;
  build: BuildFacts;
  /** sha256 (hex) of the gate report. */
  report: string;
}

interface ResourceDescriptor {
  name: string;
  uri?: string;
  digest?: Record<string, string>;
}

export function provenanceStatement(input: ProvenanceInput): Statement {
  const { build, recipe, host, versions, rerank_tune } = input;
  const times = build.stages.map(({ started, seconds }) => [Date.parse(started), seconds * 1000] as const);
  const started = Math.min(...times.map(([start]) => start));
  const finished = Math.max(...times.map(([start, took]) => start + took));
  return statement(input.subjects, PROVENANCE_TYPE, {
    buildDefinition: {
      buildType: BUILD_TYPE,
      externalParameters: { recipe: withoutPlaces(recipe) },
      internalParameters: {
        host,
        versions,
        stages: build.stages.map(({ stage, key, digest, tools }) => ({ stage, key, digest, tools })),
      },
      resolvedDependencies: [...baseModel(input), ...dataSets(input)],
    },
    runDetails: {
      builder: { id: BUILDER, version: { "rerank-tune": rerank_tune } },
      ...(times.length === 0
        ? {}
        : {
            metadata: {
              invocationId: build.stages.at(-1)?.key,
              startedOn: new Date(started).toISOString(),
              finishedOn: new Date(finished).toISOString(),
            },
          }),
      byproducts: [{ name: "verify-report", digest: { sha256: input.report } }],
    },
  });
}

/** Keys of a recipe whose values are places on a machine, or the user's own words. */
const PLACES = ["path", "source", "run", "corpus", "guard", "description", "scores", "labels"];

/** A recipe as anybody may read it. Values that look like a path go too, wherever they stand; the base is named by its dependency. */
export function withoutPlaces(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !isPlace(item)).map(withoutPlaces);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(
    ([key, item]) => !PLACES.includes(key) && (key === "repo" || !isPlace(item)),
  );
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutPlaces(item)]));
}

function isPlace(value: unknown): boolean {
  return typeof value === "string" && (/[\\/]/.test(value) || /^file:|^~/.test(value));
}

/** A folder of the user's is known by its content alone. */
function baseModel({ base_model, build }: ProvenanceInput): ResourceDescriptor[] {
  const [, repo, commit] = /^hub:([^@]+)@([0-9a-f]{40})$/.exec(base_model) ?? [];
  const folder = build.stages.find(({ stage }) => stage === "train")?.sources.base_model;
  const digest = {
    ...(commit === undefined ? {} : { gitCommit: commit }),
    // Over the names and digests of its files as canonical JSON; SLSA has no name for that.
    ...(folder === undefined ? {} : { "rerank-tune.folder.sha256": folder }),
  };
  const uri =
    repo !== undefined
      ? `https://huggingface.co/${repo}/tree/${commit}`
      : base_model.startsWith("builtin:")
        ? base_model
        : undefined;
  const whole: ResourceDescriptor = {
    name: "base_model",
    ...(uri === undefined ? {} : { uri }),
    ...(Object.keys(digest).length === 0 ? {} : { digest }),
  };
  // What lies in a folder of the user's may be named after anything; files of a public base have public names.
  const known = (path: string): boolean => uri !== undefined || MODEL_FILE.test(path);
  return [
    whole,
    ...build.base_files.map(({ path, sha256 }, at) => ({
      name: `base_model/${known(path) ? path : `file-${at + 1}`}`,
      digest: { sha256 },
    })),
  ];
}

/** Names that every model folder has. */
const MODEL_FILE =
  /^(config|tokenizer|tokenizer_config|special_tokens_map|modules|config_sentence_transformers|sentence_bert_config|added_tokens|vocab|golden_pairs|rerank-tune)\.json$|^model(-\d{5}-of-\d{5})?\.safetensors(\.index\.json)?$|^(vocab|merges)\.txt$|^(sentencepiece\.bpe|spiece|tokenizer)\.model$|^README\.md$|^onnx\/model[a-z0-9_]*\.onnx(_data)?$/;

function dataSets({ data, build }: ProvenanceInput): ResourceDescriptor[] {
  const descriptor = (name: string, sha256: string): ResourceDescriptor => ({ name, digest: { sha256 } });
  const sources = build.stages.flatMap(({ stage, sources }) =>
    Object.entries(sources)
      .filter(([name]) => name !== "base_model")
      .map(([name, sha256], at) => descriptor(role(stage, name, at), sha256)),
  );
  const splits = Object.entries(isObject(data.digests) ? data.digests : {}).map(([split, sha256]) =>
    descriptor(`split/${split}`, String(sha256)),
  );
  return [...sources, ...splits];
}

/** Sources are named by fields of the recipe; anything else would be somebody's own word. */
function role(stage: string, name: string, at: number): string {
  return /^[a-z_]+(\.[a-z_]+)*(\[\d+\]|\.\d+)?$/.test(name) ? name : `${stage}.source.${at + 1}`;
}
