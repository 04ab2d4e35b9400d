// What differs between two versions: files, tensors, card, quality and latency. Reads both; decides nothing.
import { z } from "zod";
import { jsonOf } from "../artifacts/json-value.js";
import { MODEL_FILES } from "../model-folder/layout.js";
import { BlobStore } from "./blobs.js";
import type { OciIndex } from "./format.js";
import { type FrozenFile, type FrozenVersion, frozenVersion } from "./frozen.js";
import { newestReport } from "./gate.js";
import { type TensorDiff, tensorDiffs } from "./tensor-diff.js";

/** A figure of both versions; null where one has none. `difference` is right minus left. */
export interface Figure {
  left: number | null;
  right: number | null;
  difference: number | null;
}

export interface VersionDiff {
  /** `name@sha256:<hex>`. */
  left: string;
  right: string;
  /** Whether both are the same version. */
  equal: boolean;
  files: {
    added: { path: string; bytes: number }[];
    removed: { path: string; bytes: number }[];
    changed: { path: string; left_bytes: number; right_bytes: number }[];
    same: number;
  };
  /** Of weights and graphs whose bytes differ. */
  tensors: TensorDiff[];
  /** Lines of README.md that only one of them has, in order. */
  card: { removed: string[]; added: string[] };
  /** Of verify's newest reports: by system, metrics of 0-1. */
  metrics: { system: string; metric: string; figure: Figure }[];
  /** Milliseconds. */
  latency: { variant: string; provider: string; candidates: number; p50_ms: Figure; p95_ms: Figure }[];
  /** Whether the figures can be held against each other: null where a version does not say. */
  comparable: { test_split: boolean | null; machine: boolean | null };
}

/** @throws RerankTuneError REGISTRY_NOT_FOUND, REGISTRY_CORRUPT */
export async function versionDiff(root: string, index: OciIndex, left: string, right: string): Promise<VersionDiff> {
  const store = new BlobStore(root);
  const versions = [await frozenVersion(root, index, left), await frozenVersion(root, index, right)] as const;
  const [one, two] = versions;
  const [before, after] = await Promise.all(versions.map((version) => factsOf(store, index, version)));
  if (before === undefined || after === undefined) throw new Error("two versions have two sets of facts");
  const sameOrUnknown = (a: string | undefined, b: string | undefined) =>
    a === undefined || b === undefined ? null : a === b;
  return {
    left: one.version,
    right: two.version,
    equal: one.digest === two.digest,
    files: fileDiff(one.files, two.files),
    tensors: await tensorDiffs(one.files, two.files),
    card: { removed: linesOnlyIn(before.card, after.card), added: linesOnlyIn(after.card, before.card) },
    metrics: metricDiff(before.report, after.report),
    latency: latencyDiff(before.report, after.report),
    comparable: {
      test_split: sameOrUnknown(before.testSplit, after.testSplit),
      machine: sameOrUnknown(before.report?.machine?.cpu, after.report?.machine?.cpu),
    },
  };
}

export function fileDiff(left: readonly FrozenFile[], right: readonly FrozenFile[]): VersionDiff["files"] {
  const before = new Map(left.map((file) => [file.path, file]));
  const after = new Map(right.map((file) => [file.path, file]));
  const only = (files: readonly FrozenFile[], others: ReadonlyMap<string, FrozenFile>) =>
    files.filter(({ path }) => !others.has(path)).map(({ path, bytes }) => ({ path, bytes }));
  const changed = right.flatMap(({ path, bytes, sha256 }) => {
    const old = before.get(path);
    return old === undefined || old.sha256 === sha256 ? [] : [{ path, left_bytes: old.bytes, right_bytes: bytes }];
  });
  const added = only(right, before);
  return { added, removed: only(left, after), changed, same: right.length - added.length - changed.length };
}

const qualitySchema = z.looseObject({ "ndcg@10": z.number(), "mrr@10": z.number(), "recall@5": z.number() }).nullish();
const reportSchema = z.looseObject({
  first_stage: qualitySchema,
  base: qualitySchema,
  tuned: qualitySchema,
  variants: z.array(z.looseObject({ name: z.string(), provider: z.string(), quality: qualitySchema })).default([]),
  latency: z
    .array(
      z.looseObject({
        variant: z.string(),
        provider: z.string(),
        candidates: z.number(),
        p50_ms: z.number(),
        p95_ms: z.number(),
      }),
    )
    .default([]),
  machine: z.looseObject({ cpu: z.string().optional() }).optional(),
});
type Report = z.infer<typeof reportSchema> | undefined;

interface Facts {
  card: string;
  report: Report;
  testSplit: string | undefined;
}

async function factsOf(store: BlobStore, index: OciIndex, version: FrozenVersion): Promise<Facts> {
  const text = async (path: string): Promise<string> => {
    const file = version.files.find((found) => found.path === path);
    return file === undefined ? "" : (await store.read(`sha256:${file.sha256}`)).toString("utf8");
  };
  const manifest = z.object({ data: z.object({ digests: z.object({ test: z.string() }) }) });
  return {
    card: await text(MODEL_FILES.card),
    report: reportSchema.safeParse((await newestReport(store, index, version.digest))?.content).data,
    testSplit: manifest.safeParse(jsonOf(await text(MODEL_FILES.manifest))).data?.data.digests.test,
  };
}

function linesOnlyIn(text: string, other: string): string[] {
  const there = new Map<string, number>();
  for (const line of other.split("\n")) there.set(line, (there.get(line) ?? 0) + 1);
  return text.split("\n").filter((line) => {
    const left = there.get(line) ?? 0;
    there.set(line, left - 1);
    return left <= 0 && line.trim() !== "";
  });
}

const METRICS = ["ndcg@10", "mrr@10", "recall@5"] as const;

function metricDiff(left: Report, right: Report): VersionDiff["metrics"] {
  const [before, after] = [systemsOf(left), systemsOf(right)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((system) =>
    METRICS.map((metric) => ({
      system,
      metric,
      figure: figure(before.get(system)?.[metric], after.get(system)?.[metric]),
    })),
  );
}

function systemsOf(report: Report): Map<string, NonNullable<z.infer<typeof qualitySchema>>> {
  const rows = new Map<string, NonNullable<z.infer<typeof qualitySchema>>>();
  if (report === undefined) return rows;
  for (const system of ["first_stage", "base", "tuned"] as const) {
    const quality = report[system];
    if (quality) rows.set(system, quality);
  }
  for (const { name, provider, quality } of report.variants)
    if (quality) rows.set(provider === "cpu" ? name : `${name} on ${provider}`, quality);
  return rows;
}

function latencyDiff(left: Report, right: Report): VersionDiff["latency"] {
  type Row = NonNullable<Report>["latency"][number];
  const key = ({ variant, provider, candidates }: Row) => `${variant} ${provider} ${candidates}`;
  const [before, after] = [left, right].map((report) => new Map(report?.latency.map((row) => [key(row), row])));
  const rows = new Map([...(before ?? []), ...(after ?? [])]);
  return [...rows].map(([at, { variant, provider, candidates }]) => {
    const [old, now] = [before?.get(at), after?.get(at)];
    return {
      variant,
      provider,
      candidates,
      p50_ms: figure(old?.p50_ms, now?.p50_ms),
      p95_ms: figure(old?.p95_ms, now?.p95_ms),
    };
  });
}

function figure(left: number | undefined, right: number | undefined): Figure {
  const difference = left === undefined || right === undefined ? null : right - left;
  return { left: left ?? null, right: right ?? null, difference };
}
