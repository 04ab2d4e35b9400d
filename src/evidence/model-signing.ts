// OpenSSF Model Signing v1.0, serialization "files": the statement over a model's files, and holding files against it. Pure.
import { createHash } from "node:crypto";
import { z } from "zod";
import { signatureInvalid } from "./failures.js";
import { type Statement, statement } from "./statement.js";

export const MODEL_SIGNING_TYPE = "https://model_signing/signature/v1.0";
/** Name of the bundle in a model folder. */
export const SIGNATURE_FILE = "model.sig";
/** Evidence as files beside it; each has a signature of its own, so that this one does not cover them. */
export const EVIDENCE_FILES = ["provenance.json", "gates.json", "sbom-python.json", "sbom-npm.json"] as const;

/**
 * What a copy of the folder may have besides, unsigned: evidence, git's own files as model-signing leaves them out, and the
 * records of `hf download --local-dir`. No runtime reads any of them.
 */
export const IGNORED: readonly string[] = [
  SIGNATURE_FILE,
  ...EVIDENCE_FILES,
  ".cache/huggingface",
  ".git",
  ".gitattributes",
  ".github",
  ".gitignore",
];

export interface SignedFile {
  /** Relative, with forward slashes. */
  path: string;
  /** Hex. */
  sha256: string;
}

export interface SignedModel {
  /** As the signer called it; says nothing of what it is. */
  name: string;
  files: SignedFile[];
  /** Paths that the signer left out. */
  ignored: string[];
}

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const predicateSchema = z.looseObject({
  serialization: z.looseObject({
    method: z.literal("files"),
    hash_type: z.literal("sha256"),
    allow_symlinks: z.literal(false),
    ignore_paths: z.array(z.string()).default([]),
  }),
  resources: z.array(z.looseObject({ name: z.string(), algorithm: z.literal("sha256"), digest: hex })).min(1),
});

/** sha256 (hex) over the digests of the files in the order of their names: what stands for the model as a whole. */
export function rootDigest(files: readonly SignedFile[]): string {
  const hash = createHash("sha256");
  for (const { sha256 } of inOrder(files)) hash.update(Buffer.from(sha256, "hex"));
  return hash.digest("hex");
}

/** The statement that model-signing 1.1.1 makes of the same folder, but for the order inside `ignore_paths`, which it leaves open. */
export function modelStatement(name: string, files: readonly SignedFile[]): Statement {
  const resources = inOrder(files).map(({ path, sha256 }) => ({ name: path, algorithm: "sha256", digest: sha256 }));
  const serialization = {
    method: "files",
    hash_type: "sha256",
    allow_symlinks: false,
    ignore_paths: [...IGNORED].sort(),
  };
  return statement([{ name, sha256: rootDigest(files) }], MODEL_SIGNING_TYPE, { serialization, resources });
}

/**
 * What a signed statement says of a model.
 * @throws RerankTuneError SIGNATURE_INVALID when it contradicts itself or names paths that are not plain.
 */
export function readModelStatement({ subject, predicateType, predicate }: Statement): SignedModel {
  if (predicateType !== MODEL_SIGNING_TYPE)
    throw signatureInvalid(`The statement is ${predicateType}, no model signature of version 1.0.`);
  const parsed = predicateSchema.safeParse(predicate);
  if (!parsed.success)
    throw signatureInvalid(
      `The signature serializes the model in a way that is not read here (predicate.${parsed.error.issues[0]?.path.join(".")}): files, sha256 and no symbolic links are.`,
      "check it with PyPI `model-signing`, which knows other digests and shards",
    );
  const { resources, serialization } = parsed.data;
  const files = resources.map(({ name, digest }) => ({ path: name, sha256: digest }));
  refuseOddPaths(files.map(({ path }) => path));
  for (const path of serialization.ignore_paths)
    if (isOdd(path))
      throw signatureInvalid(`The signature leaves out ${JSON.stringify(path)}, which is no plain path.`);
  // In the order as written: the signature covers it, and model-signing takes any.
  const hash = createHash("sha256");
  for (const { sha256 } of files) hash.update(Buffer.from(sha256, "hex"));
  if (subject.length !== 1 || subject[0]?.digest.sha256 !== hash.digest("hex"))
    throw signatureInvalid("The signature contradicts itself: its subject is not the digest of its files.");
  return { name: subject[0].name ?? "", files, ignored: serialization.ignore_paths };
}

/** What a signature may leave unsigned: what its signer left out and no runtime reads. */
export function leftOut({ ignored }: SignedModel): string[] {
  return ignored.filter((path) => IGNORED.includes(path));
}

/**
 * What is wrong with a folder, in words; empty when it is exactly what was signed.
 * @param actual files of the folder, but for the signature itself.
 */
export function differences(signed: SignedModel, actual: readonly SignedFile[]): string[] {
  const found = new Map(actual.map(({ path, sha256 }) => [path, sha256]));
  const known = new Set(signed.files.map(({ path }) => path));
  const harmless = leftOut(signed);
  const problems = signed.files.flatMap(({ path, sha256 }) => {
    const there = found.get(path);
    return there === undefined ? [`${path} is missing`] : there === sha256 ? [] : [`${path} was changed`];
  });
  for (const { path } of actual)
    if (!known.has(path) && !isUnder(path, harmless))
      problems.push(isUnder(path, signed.ignored) ? `${path} was left unsigned` : `${path} was not signed`);
  return problems;
}

/** Whether a path is one of these or lies in one of them. */
export function isUnder(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
}

/** By the parts of the path and the code points in them, as Python's pathlib sorts: `a/b` before `a-b`. */
function inOrder(files: readonly SignedFile[]): SignedFile[] {
  return [...files].sort((left, right) => {
    const [a, b] = [left.path.split("/"), right.path.split("/")];
    for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
      const order = Buffer.compare(Buffer.from(a[at] ?? ""), Buffer.from(b[at] ?? ""));
      if (order !== 0) return order;
    }
    return a.length - b.length;
  });
}

function refuseOddPaths(paths: readonly string[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    if (isOdd(path)) throw signatureInvalid(`The signature names ${JSON.stringify(path)}, which is no plain path.`);
    const folded = path.normalize("NFC").toLowerCase();
    if (seen.has(folded))
      throw signatureInvalid(`The signature names ${JSON.stringify(path)} twice, or two that some disks take for one.`);
    seen.add(folded);
  }
}

/** Absolute, leaving the folder, not in its shortest form, or with characters that mean something else elsewhere. */
function isOdd(path: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what is refused
  return /[\u0000-\u001f\\:]/.test(path) || path.split("/").some((part) => ["", ".", ".."].includes(part));
}
