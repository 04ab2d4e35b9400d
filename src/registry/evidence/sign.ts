// What is put beside a version: statements and bills as they are, and a signer's signatures over them and over the files.
import { hashText } from "../../artifacts/hash.js";
import { isObject, jsonOf } from "../../artifacts/json-value.js";
import { BUNDLE_TYPE, payloadDigest, readBundle, signedBundle, signerOf } from "../../evidence/bundle.js";
import type { SigningKey, VerifyingKey } from "../../evidence/keys.js";
import { modelStatement } from "../../evidence/model-signing.js";
import { SBOM_PREDICATE, SBOM_TYPE } from "../../evidence/sbom.js";
import {
  PAYLOAD_TYPE,
  readStatement,
  type Statement,
  statement,
  statementSchema,
  statementText,
} from "../../evidence/statement.js";
import type { Referrer, VersionFacts } from "../publish.js";
import { type Evidence, SBOM_OF, subjectsOf } from "./states.js";

/** Annotations as cosign writes them, so that other tools see what a bundle holds without opening it. */
const CONTENT = "dev.sigstore.bundle.content";
const PREDICATE = "dev.sigstore.bundle.predicateType";

/** A statement without a signature, ready to be attached. */
export function statementReferrer(content: Statement): Referrer {
  return {
    artifactType: PAYLOAD_TYPE,
    content: statementText(content),
    annotations: { [PREDICATE]: content.predicateType },
  };
}

export function sbomReferrer(of: string, content: string): Referrer {
  return { artifactType: SBOM_TYPE, content, annotations: { [SBOM_OF]: of } };
}

/**
 * What a signer adds: the model's signature, and one over each statement and bill. What this key has signed already is left out.
 * @param there what lies beside the version. @param added statements and bills that come with it.
 */
export function signatures(
  version: VersionFacts,
  there: readonly Evidence[],
  added: readonly Referrer[],
  key: SigningKey,
): Referrer[] {
  const done = signedBy(there, key);
  const documents = [
    ...there
      .filter(({ state }) => state === "unsigned")
      .map(({ kind, content }) => ({ bill: kind === "sbom", content })),
    ...added.map(({ artifactType, content }) => ({ bill: artifactType === SBOM_TYPE, content })),
  ];
  const texts = [
    modelStatement(version.name, version.files),
    ...documents.flatMap((one) => statementIn(version, one) ?? []),
  ]
    .map(statementText)
    .filter((text, at, all) => all.indexOf(text) === at && !done.has(hashText(text)));
  return texts.map((text) => ({
    artifactType: BUNDLE_TYPE,
    content: signedBundle(text, key),
    annotations: { [CONTENT]: "dsse-envelope", [PREDICATE]: readStatement(text).predicateType },
  }));
}

/** Digests of the payloads that a key has signed. */
export function signedBy(there: readonly Evidence[], key: VerifyingKey): Set<string> {
  const bundles = there.filter(({ state }) => state === "signed" || state === "verified");
  return new Set(
    bundles.flatMap(({ content }) => {
      const bundle = readBundle(content);
      return signerOf(bundle, [key]) === undefined ? [] : [payloadDigest(bundle)];
    }),
  );
}

/** A statement as it is, a bill of materials as the predicate of one; reports are covered by the statements that name them. */
function statementIn(
  version: VersionFacts,
  { bill, content }: { bill: boolean; content: string },
): Statement | undefined {
  const value = jsonOf(content);
  if (bill) return isObject(value) ? statement(subjectsOf(version), SBOM_PREDICATE, value) : undefined;
  return statementSchema.safeParse(value).data;
}
