// What is put beside a version: statements and bills as they are, and a signer's signatures over them and over the files.
import { hashText } from "../../artifacts/hash.js";
import { jsonOf } from "../../artifacts/json-value.js";
import { BUNDLE_TYPE, payloadDigest, readBundle, signedBundle, signerOf } from "../../evidence/bundle.js";
import type { SigningKey } from "../../evidence/keys.js";
import { modelStatement } from "../../evidence/model-signing.js";
import { SBOM_PREDICATE, SBOM_TYPE } from "../../evidence/sbom.js";
import { PAYLOAD_TYPE, readStatement, type Statement, statement, statementText } from "../../evidence/statement.js";
import type { FrozenVersion } from "../frozen.js";
import type { Referrer } from "../publish.js";
import { type Evidence, evidenceOf, SBOM_OF, subjectsOf } from "./states.js";

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

/** What a signer adds to a version: the model's signature, and one for each statement and bill that this key has not signed yet. */
export async function signatures(version: FrozenVersion, key: SigningKey): Promise<Referrer[]> {
  const there = await evidenceOf(version);
  const own = { ...key, name: key.id };
  const signed = new Set(
    there.flatMap(({ content, state }) => {
      if (state !== "signed") return [];
      const bundle = readBundle(content);
      return signerOf(bundle, [own]) === undefined ? [] : [payloadDigest(bundle)];
    }),
  );
  const statements = [
    modelStatement(version.name, version.files),
    ...there.filter(({ state }) => state === "unsigned").flatMap((item) => statementIn(version, item) ?? []),
  ];
  return statements
    .filter((content) => !signed.has(hashText(statementText(content))))
    .map((content) => ({
      artifactType: BUNDLE_TYPE,
      content: signedBundle(statementText(content), key),
      annotations: { [CONTENT]: "dsse-envelope", [PREDICATE]: content.predicateType },
    }));
}

/** What a signature is put on: a statement as it is, a bill of materials as the predicate of one. Reports are covered by the statements that name them. */
function statementIn(version: FrozenVersion, { kind, content }: Evidence): Statement | undefined {
  if (kind === "report" || kind === "other") return undefined;
  if (kind !== "sbom") return readStatement(content);
  return statement(subjectsOf(version), SBOM_PREDICATE, jsonOf(content) as object);
}
