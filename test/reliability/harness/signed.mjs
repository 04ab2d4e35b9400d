// A version with all that publish and sign put beside it, and a way to compare what is signed: no two ECDSA signatures of one text are alike.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { committedLog } from "./state.mjs";
import { NOW, opened, version } from "./versions.mjs";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** A key pair below the place: `key.pem` for the signer, `key.pem.pub` for everybody. */
export async function makeKey(product, place) {
  const { private_pem, public_pem } = product.newKeyPair();
  await writeFile(place.key, private_pem);
  await writeFile(`${place.key}.pub`, public_pem);
}

/** Provenance, gates and bills of materials, as publish writes them. */
export function statementsOf(product, facts) {
  const { subjectsOf, statementReferrer, sbomReferrer, sbomText, provenanceStatement, testResultStatement } = product;
  const subjects = subjectsOf(facts);
  const report = sha256("report");
  const build = { stages: [], base_files: [{ path: "config.json", sha256: sha256("{}") }] };
  const made = { base_model: "builtin:tiny", recipe: { name: "tiny" }, data: {}, host: "here", versions: {} };
  const gate = { of: "fp32/cpu", gate: "ndcg_max_drop", outcome: "passed", measured: 0, limit: -0.005 };
  const bill = (environment) =>
    sbomReferrer(environment, sbomText({ environment, rerank_tune: "0.1.0", components: [], properties: {} }));
  return [
    statementReferrer(provenanceStatement({ subjects, ...made, rerank_tune: "0.1.0", build, report })),
    statementReferrer(testResultStatement(subjects, [gate], {}, report)),
    bill("python"),
    bill("npm"),
  ];
}

/** Publishes a version with these statements; signed where `place` has a key and `signed` is not false. @param few one bill alone: every referrer is a dozen calls. */
export async function publishWithEvidence(product, place, weights, { signed = true, few = false, ...more } = {}) {
  const key = product.readSigningKey(await readFile(place.key, "utf8"), "the key");
  const evidence = async (facts) => {
    const added = statementsOf(product, facts).slice(few ? -1 : 0);
    return signed ? [...added, ...product.signatures(facts, [], added, key)] : added;
  };
  await (await opened(product, place)).publishVersion({ ...version(place, weights, more), evidence });
}

/** Index and history without what differs from run to run: digests of signatures, the clock, a port. */
export async function plainView(product, place) {
  const index = await readFile(join(place.root, "index.json"), "utf8").catch(() => undefined);
  if (index === undefined) return JSON.stringify(null);
  const registry = await opened(product, place);
  const models = await registry.list();
  const log = (await committedLog(place.root, JSON.parse(index))).map((line) => {
    const { name, alias, from, to, event, reason } = JSON.parse(line);
    return { name, alias, from, to, event, reason: reason.replace(/127\.0\.0\.1:\d+/, "127.0.0.1") };
  });
  const beside = [];
  for (const { versions } of models)
    for (const each of versions) beside.push(await judgements(product, place, await registry.frozen(each.version)));
  return JSON.stringify({ models, log, beside });
}

/** What lies beside a version, in the words of the product's own check. */
async function judgements(product, place, frozen) {
  const pem = await readFile(`${place.key}.pub`, "utf8").catch(() => undefined);
  const keys = pem === undefined ? [] : product.readTrustedKeys(pem, "the signer");
  const found = await product.evidenceOf(frozen, keys, NOW);
  return found.map(({ kind, state, signer, of, content }) => ({
    kind,
    state,
    signer,
    of,
    says: said(product, content),
  }));
}

/** Digest of a document, or of what a bundle signs. */
function said(product, content) {
  try {
    return `signature over ${product.payloadDigest(product.readBundle(content))}`;
  } catch {
    return sha256(content);
  }
}

/** The files of a place where those of signatures are called by what they sign; index and history are compared by `plainView`. */
export async function plainTree(product, place, found) {
  const plain = {};
  for (const [path, text] of Object.entries(found ?? {})) {
    const mode = text.split(" ").slice(0, 2).join(" ");
    if (/^registry\/(index\.json|reflog\.ndjson)$/.test(path)) plain[path] = mode;
    else if (path.startsWith("registry/blobs/sha256/")) {
      const called = await calledBy(product, place, path);
      plain[`registry/blobs/sha256/${called}`] = called.startsWith("signature") ? mode : text;
    } else plain[path] = text;
  }
  return plain;
}

async function calledBy(product, place, path) {
  const content = await readFile(join(place.folder, path), "utf8");
  const own = said(product, content);
  if (own.startsWith("signature")) return own;
  const layer = content.startsWith("{") ? JSON.parse(content).layers?.[0]?.digest : undefined;
  if (layer === undefined) return path.split("/").at(-1);
  const below = await readFile(join(place.root, "blobs", "sha256", layer.slice(7)), "utf8").catch(() => "");
  const signs = said(product, below);
  return signs.startsWith("signature") ? `${signs}, manifest` : path.split("/").at(-1);
}
