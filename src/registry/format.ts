// The formats of the registry: OCI image layout with raw ModelPack layers (packaging.md §1.3). Only shapes and names; no file is touched here.
import { z } from "zod";

export const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
export const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
/** artifactType of a model version. */
export const MODEL_TYPE = "application/vnd.cncf.model.manifest.v1+json";
export const MODEL_CONFIG_TYPE = "application/vnd.cncf.model.config.v1+json";
/** artifactType and layer type of verify's report. */
export const REPORT_TYPE = "application/vnd.rerank-tune.verify-report.v1+json";
export const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";

/** Path of a layer's file inside the model folder. */
export const FILE_PATH = "org.cncf.model.filepath";
/** `<name>:<alias>` of an alias entry, `<name>@sha256:<hex>` of a version entry. */
export const REFERENCE_NAME = "org.opencontainers.image.ref.name";
/** sha256 of the last committed line of the reflog; lines behind it never happened. */
export const REFLOG_HEAD = "rerank-tune.reflog.head";

export const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const annotationsSchema = z.record(z.string(), z.string());

export const descriptorSchema = z.looseObject({
  mediaType: z.string(),
  digest: digestSchema,
  size: z.int().min(0),
  artifactType: z.string().optional(),
  annotations: annotationsSchema.optional(),
});
export type Descriptor = z.infer<typeof descriptorSchema>;

export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MANIFEST_TYPE),
  artifactType: z.string(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
  subject: descriptorSchema.optional(),
  annotations: annotationsSchema.optional(),
});
export type OciManifest = z.infer<typeof manifestSchema>;

export const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(INDEX_TYPE),
  manifests: z.array(descriptorSchema),
  annotations: annotationsSchema.optional(),
});
export type OciIndex = z.infer<typeof indexSchema>;

export const EMPTY_INDEX: OciIndex = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [] };

/** ModelPack type of a file by its name: weights, what a tokenizer or runtime reads, or something to read. */
export function mediaTypeOf(path: string): string {
  const kind = /\.(onnx|onnx_data|safetensors)$/.test(path)
    ? "weight"
    : /(^|\/)(README\.md|LICENSE|golden_pairs\.json|rerank-tune\.json)$/.test(path)
      ? "doc"
      : /\.(json|txt|model)$/.test(path)
        ? "weight.config"
        : "code";
  return `application/vnd.cncf.model.${kind}.v1.raw`;
}
