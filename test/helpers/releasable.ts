// A registry with one version and its int8 twin, small and made of nothing but numbers, for tests of releases.
import { createHash } from "node:crypto";
import { hashText } from "../../src/artifacts/hash.js";
import { hubDestination } from "../../src/destinations/hub/index.js";
import type { DestinationContext, PreparedRelease } from "../../src/destinations/index.js";
import type { StageEvent } from "../../src/events.js";
import type { WritePatience } from "../../src/hub/patient-fetch.js";
import { type FrozenVersion, openRegistry, type PublishedFile, type Registry } from "../../src/registry/index.js";

export const CARD = `---
pipeline_tag: text-ranking
library_name: sentence-transformers
tags:
  - sentence-transformers
  - reranker
license: apache-2.0
---

# tiny
`;

/** Bytes that no compression and no other seed gives. */
export function noise(seed: string, count: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(count / 32) }, (_, at) =>
    createHash("sha256").update(`${seed} ${at}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, count);
}

export interface Releasable {
  registry: Registry;
  version: FrozenVersion;
  twin?: FrozenVersion;
}

export interface ReleasableOptions {
  /** Makes other weights. */
  seed?: string;
  /** Files of the version to add, change or, when undefined, leave out. */
  files?: Record<string, string | Buffer | undefined>;
  twin?: boolean;
  /** Card of the twin; older ones have none. */
  twinCard?: string;
  /** Bytes of model.safetensors; the graphs have a half and a quarter of it. */
  bytes?: number;
}

export async function releasable(folder: string, options: ReleasableOptions = {}): Promise<Releasable> {
  const { seed = "one", files = {}, twin = true, twinCard, bytes = 40_000 } = options;
  const registry = await openRegistry(folder, { create: true });
  const int8 = noise(`int8 ${seed}`, bytes / 4);
  const small = { "config.json": `{"seed":${JSON.stringify(seed)}}\n`, "tokenizer.json": '{"model":{}}\n' };
  const all = {
    ...small,
    "README.md": CARD,
    "rerank-tune.json": `{"schema":1,"seed":${JSON.stringify(seed)}}\n`,
    "model.safetensors": noise(`weights ${seed}`, bytes),
    "onnx/model.onnx": noise(`fp32 ${seed}`, bytes / 2),
    "onnx/model_quantized.onnx": int8,
    ...files,
  };
  const publish = async (name: string, given: Record<string, string | Buffer | undefined>) =>
    await registry.publishVersion({
      name,
      alias: "latest",
      files: await placed(given),
      config: { descriptor: { name }, config: {} },
    });
  const placed = async (given: Record<string, string | Buffer | undefined>): Promise<PublishedFile[]> => {
    const present = Object.entries(given).filter((entry): entry is [string, string | Buffer] => entry[1] !== undefined);
    return await Promise.all(
      present.map(async ([path, content]) => ({ path, source: await sourceOf(folder, content) })),
    );
  };
  const second = twin
    ? await publish("tiny-int8", { ...small, "onnx/model.onnx": int8, "README.md": twinCard })
    : undefined;
  const first = await publish("tiny", all);
  return {
    registry,
    version: await registry.frozen(first.version),
    ...(second === undefined ? {} : { twin: await registry.frozen(second.version) }),
  };
}

/** Text goes in as it is; bytes by way of a file, as weights do. */
async function sourceOf(folder: string, content: string | Buffer): Promise<PublishedFile["source"]> {
  if (typeof content === "string") return { content };
  const { mkdir, writeFile } = await import("node:fs/promises");
  await mkdir(`${folder}-sources`, { recursive: true });
  const path = `${folder}-sources/${hashText(content.toString("hex")).slice(0, 16)}`;
  await writeFile(path, content);
  return path;
}

/** Patience of a test: as many tries as in earnest, and next to no waiting. */
export const QUICK: WritePatience = { attempts: 4, pauseMs: 1, silenceMs: 2_000, longestPauseMs: 2_000 };

export interface Place {
  url: string;
  token?: string;
  variables?: NodeJS.ProcessEnv;
  patience?: WritePatience;
  signal?: AbortSignal;
}

export function contextOf(releasable: Releasable, place: Place): DestinationContext & { events: StageEvent[] } {
  const { registry } = releasable;
  const events: StageEvent[] = [];
  const variables = {
    HF_ENDPOINT: place.url,
    HF_HOME: "/nonexistent",
    ...(place.token === undefined ? {} : { HF_TOKEN: place.token }),
    ...place.variables,
  };
  return {
    events,
    variables,
    signal: place.signal ?? new AbortController().signal,
    emit: (event) => void events.push(event),
    now: () => new Date(0),
    versionsOf: async (name) => {
      const found = (await registry.list()).find((model) => model.name === name);
      return await Promise.all((found?.versions ?? []).map(({ version }) => registry.frozen(version)));
    },
  };
}

export async function prepared(target: string, source: Releasable, place: Place): Promise<PreparedRelease> {
  return await hubDestination(place.patience ?? QUICK).prepare(target, source.version, contextOf(source, place));
}
