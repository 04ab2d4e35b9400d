// The description of a finished artifact: what it was made from, which files it holds, and the digest that its followers depend on.
import { z } from "zod";

/** Timings, logs and other things that differ between equal runs live here and do not count in the digest. */
export const RECORDS_FOLDER = "records";
export const MANIFEST_FILE = "manifest.json";

export const manifestSchema = z.object({
  schema: z.literal(1),
  stage: z.string(),
  version: z.int(),
  key: z.string(),
  options: z.unknown(),
  inputs: z.record(z.string(), z.string()),
  sources: z.record(z.string(), z.string()),
  tools: z.record(z.string(), z.string()),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string(), mtime_ms: z.number() })),
  digest: z.string().describe("sha256 over the files outside records/, hex."),
  output: z.unknown(),
  started: z.string(),
  seconds: z.number(),
  host: z.string(),
  rerank_tune: z.string(),
});
export type Manifest = z.infer<typeof manifestSchema>;
