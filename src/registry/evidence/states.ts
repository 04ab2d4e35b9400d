// What lies beside a version, and what a checker can say of it: by whom it is signed, and whether it is about this version at all.
import { readFile } from "node:fs/promises";
import { hashText } from "../../artifacts/hash.js";
import { fromFileSystemError, RerankTuneError } from "../../errors.js";
import { BUNDLE_TYPE, type Bundle, readBundle, signerOf } from "../../evidence/bundle.js";
import { keyObjection, type TrustedKey } from "../../evidence/key-ring.js";
import { differences, MODEL_SIGNING_TYPE, readModelStatement, rootDigest } from "../../evidence/model-signing.js";
import { PROVENANCE_TYPE } from "../../evidence/provenance.js";
import { SBOM_PREDICATE, SBOM_TYPE } from "../../evidence/sbom.js";
import { PAYLOAD_TYPE, readStatement, type Statement, type Subject } from "../../evidence/statement.js";
import { TEST_RESULT_TYPE } from "../../evidence/test-result.js";
import { REPORT_TYPE } from "../format.js";
import type { FrozenVersion } from "../frozen.js";
import type { VersionFacts } from "../publish.js";
import type { FrozenReferrer } from "../read.js";

/** Which environment a bill of materials is of. */
export const SBOM_OF = "rerank-tune.sbom.of";

export type EvidenceKind = "signature" | "provenance" | "gates" | "sbom" | "statement" | "report" | "other";

/** `signed`: by whom is not known, as the signer's key is not among those given. `unsigned`: a statement, a bill or a report as it is. */
export type EvidenceState = "verified" | "signed" | "unsigned" | "refused";

export interface Evidence {
  kind: EvidenceKind;
  /** `sha256:<hex>` of the manifest beside the version. */
  digest: string;
  state: EvidenceState;
  /** Whose key it was, by the checker's own list. */
  signer: string | null;
  /** sha256 (hex) of the key. */
  key_id: string | null;
  /** Why it is refused, or not verified. */
  reason: string | null;
  /** The document itself; for whoever writes it out. */
  content: string;
  /** `python` or `npm`, of a bill of materials. */
  of: string | null;
}

/** What a statement about a version is about: its manifest, and the digest over its files that model-signing forms. */
export function subjectsOf(version: VersionFacts): Subject[] {
  return [
    { name: version.name, sha256: version.digest.slice("sha256:".length) },
    { name: `${version.name}/files`, sha256: rootDigest(version.files) },
  ];
}

/**
 * Everything beside a version, with what a checker can say of it.
 * @param trusted the checker's keys; without any, signatures stay `signed`.
 * @throws RerankTuneError REGISTRY_CORRUPT
 */
export async function evidenceOf(
  version: FrozenVersion,
  trusted: readonly TrustedKey[] = [],
  at: Date = new Date(),
): Promise<Evidence[]> {
  const found: Evidence[] = [];
  for (const referrer of version.referrers) found.push(await evidence(version, referrer, trusted, at));
  return found;
}

async function evidence(
  version: FrozenVersion,
  { descriptor, manifest }: FrozenReferrer,
  trusted: readonly TrustedKey[],
  at: Date,
): Promise<Evidence> {
  const layer = manifest.layers[0];
  const content = layer === undefined ? "" : await readChecked(version, layer.digest);
  const of = manifest.annotations?.[SBOM_OF] ?? null;
  const bare = { digest: descriptor.digest, content, of, ...NOBODY };
  const type = manifest.artifactType;
  if (type === BUNDLE_TYPE) return { ...bare, ...judged(version, content, trusted, at) };
  if (type !== PAYLOAD_TYPE) return { ...bare, kind: KINDS[type] ?? "other", state: "unsigned" };
  const unread: Judged = { kind: "statement", state: "unsigned", ...NOBODY };
  const read = refusable(unread, () => {
    const said = readStatement(content);
    return { kind: kindOf(said), ...aboutAnother(version, said) };
  });
  return { ...bare, ...read };
}

const KINDS: Record<string, EvidenceKind> = { [SBOM_TYPE]: "sbom", [REPORT_TYPE]: "report" };
const NOBODY = { signer: null, key_id: null, reason: null };

type Judged = Pick<Evidence, "kind" | "state" | "signer" | "key_id" | "reason"> & { of?: string };

function judged(version: FrozenVersion, content: string, trusted: readonly TrustedKey[], at: Date): Judged {
  const unread: Judged = { kind: "signature", state: "signed", ...NOBODY };
  return refusable(unread, () => {
    const bundle = readBundle(content);
    const said = readStatement(bundle.payload.toString("utf8"));
    const about = { ...unread, kind: kindOf(said), ...sbomName(said), ...aboutAnother(version, said) };
    return about.state === "refused" ? about : { ...about, ...judgedSigner(bundle, trusted, at) };
  });
}

function judgedSigner(bundle: Bundle, trusted: readonly TrustedKey[], at: Date): Partial<Judged> {
  if (trusted.length === 0) return {};
  const key = signerOf(bundle, trusted);
  if (key === undefined) return { reason: "no key that you trust made this signature" };
  const objection = keyObjection(key, at);
  return {
    signer: key.name,
    key_id: key.id,
    ...(objection === undefined ? { state: "verified" } : { state: "refused", reason: objection }),
  };
}

/** A sound statement about another version is no evidence for this one. */
function aboutAnother(version: FrozenVersion, said: Statement): Partial<Judged> {
  const refused = (reason: string): Partial<Judged> => ({ state: "refused", reason });
  if (said.predicateType === MODEL_SIGNING_TYPE) {
    const problems = differences(readModelStatement(said), version.files);
    return problems.length === 0 ? {} : refused(`it is about other files: ${problems.slice(0, 3).join(", ")}`);
  }
  const digests = new Set(said.subject.map(({ digest }) => digest.sha256));
  return subjectsOf(version).some(({ sha256 }) => digests.has(sha256)) ? {} : refused("it is about another version");
}

/** What cannot be read or contradicts itself is refused, and does not hide the rest. */
function refusable(start: Judged, read: () => Partial<Judged>): Judged {
  try {
    return { ...start, ...read() };
  } catch (error) {
    if (!(error instanceof RerankTuneError)) throw error;
    return { ...start, state: "refused", reason: error.message };
  }
}

function kindOf({ predicateType }: Statement): EvidenceKind {
  if (predicateType === MODEL_SIGNING_TYPE) return "signature";
  if (predicateType === PROVENANCE_TYPE) return "provenance";
  if (predicateType === TEST_RESULT_TYPE) return "gates";
  return predicateType === SBOM_PREDICATE ? "sbom" : "statement";
}

/** The environment of a signed bill, which the bill itself names. */
function sbomName(said: Statement): { of?: string } {
  const name = (said.predicate as { metadata?: { component?: { name?: unknown } } }).metadata?.component?.name;
  const [, of] = /^rerank-tune (python|npm)$/.exec(String(name)) ?? [];
  return said.predicateType === SBOM_PREDICATE && of !== undefined ? { of } : {};
}

async function readChecked(version: FrozenVersion, digest: string): Promise<string> {
  const file = version.blob(digest);
  const bytes = await readFile(file).catch((error) => {
    const disk = fromFileSystemError(error, file); // says nothing about the bytes
    if (disk !== undefined) throw disk;
  });
  if (bytes !== undefined && `sha256:${hashText(bytes)}` === digest) return bytes.toString("utf8");
  throw new RerankTuneError({
    code: "REGISTRY_CORRUPT",
    message: `Blob ${digest} beside ${version.version} is missing or does not match its digest.`,
    hint: "run `rerank-tune registry verify` for all damage",
  });
}
