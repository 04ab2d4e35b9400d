// Records that stages leave for the provenance: which files the base had, and how each stage before the package went.
import { z } from "zod";

/** Below records/ of train's artifact. */
export const BASE_FILES_RECORD = "base-files.json";
/** Below records/ of package's artifact. */
export const BUILD_RECORD = "build.json";

const hex = z.string().regex(/^[0-9a-f]{64}$/);

/** Every file of the base's folder; sha256 hex. */
export const baseFilesSchema = z.array(z.object({ path: z.string(), sha256: hex }));

/** One finished stage, as its artifact's manifest says: roles and digests, no paths. */
const builtStageSchema = z.object({
  stage: z.string(),
  /** sha256 (hex) of everything that decided it, and of what it made. */
  key: z.string(),
  digest: z.string(),
  /** Role, such as `prepare.source`, to sha256 (hex) of the file or folder. */
  sources: z.record(z.string(), z.string()),
  tools: z.record(z.string(), z.string()),
  /** ISO 8601, and how long. */
  started: z.string(),
  seconds: z.number(),
});

export const buildFactsSchema = z.object({ stages: z.array(builtStageSchema), base_files: baseFilesSchema });
export type BuildFacts = z.infer<typeof buildFactsSchema>;

/** For a package that an older release made. */
export const NO_FACTS: BuildFacts = { stages: [], base_files: [] };
