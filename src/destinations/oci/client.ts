// One repository of an OCI registry over HTTP: its blobs by digest and its manifests by digest or tag (OCI distribution specification 1.1).
import { hashText } from "../../artifacts/hash.js";
import { type Fetch, PATIENCE, type Patience, persistentFetch, proxiedFetch } from "../../hub/access.js";
import { firstBytes } from "../../hub/replies.js";
import { INDEX_TYPE, MANIFEST_TYPE } from "../../registry/index.js";
import { authenticated } from "./authentication.js";
import { credentialsFor } from "./credentials.js";
import { failed, ociFailure, refused } from "./failures.js";
import { isLoopback, type OciReference } from "./reference.js";

/** Bytes of a manifest; registries take at least this much (distribution specification, "Pushing manifests"). */
const LONGEST_MANIFEST = 4 * 2 ** 20;

export interface OciRepository {
  reference: OciReference;
  /** `host/repository`, for messages. */
  shown: string;
  /** Answers challenges; nothing is tried again here. */
  fetch: Fetch;
  signal: AbortSignal;
  patience: Patience;
}

export interface OpenOptions {
  variables: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** What will be done: reading alone needs fewer rights. */
  actions: "pull" | "pull,push";
  /** Repositories of the same registry that blobs may be mounted from. */
  mountFrom?: readonly string[];
  patience?: Patience;
}

/** Finds the credentials; sends nothing. */
export async function openRepository(reference: OciReference, options: OpenOptions): Promise<OciRepository> {
  const { variables, signal, actions, mountFrom = [], patience = PATIENCE } = options;
  const { origin, host, repository } = reference;
  const scopes = [`repository:${repository}:${actions}`, ...mountFrom.map((other) => `repository:${other}:pull`)];
  // A proxy cannot reach the loopback of this machine.
  const plain = isLoopback(host) ? fetch : await proxiedFetch(variables);
  const credentials = await credentialsFor(host, variables);
  const door = { origin, fetch: plain, credentials, scopes, patience, signal };
  return { reference, shown: `${host}/${repository}`, fetch: authenticated(door), signal, patience };
}

export function address({ reference }: OciRepository, path: string): string {
  return `${reference.origin}/v2/${reference.repository}/${path}`;
}

/** One request, tried again while its failure may pass. @throws RerankTuneError OCI_FAILED, OCI_UNAUTHORIZED, INTERRUPTED. */
export async function request(repository: OciRepository, url: string, init: RequestInit = {}): Promise<Response> {
  try {
    return await persistentFetch(repository, url, init);
  } catch (error) {
    throw ociFailure(error, repository.shown, repository.signal);
  }
}

/** Whether the registry has all bytes of a blob. */
export async function hasBlob(repository: OciRepository, digest: string, size: number): Promise<boolean> {
  const reply = await request(repository, address(repository, `blobs/${digest}`), { method: "HEAD" });
  if (reply.status === 404) return false;
  if (!reply.ok) throw await refused(reply, `the blob ${digest}`, repository.shown);
  const length = reply.headers.get("Content-Length");
  return length === null || Number(length) === size;
}

export interface RemoteManifest {
  bytes: Buffer;
  /** Of these bytes, counted here. */
  digest: string;
  mediaType: string;
}

/**
 * @param name a tag or a digest; a digest is held against the bytes.
 * @returns undefined where there is none.
 */
export async function readManifest(repository: OciRepository, name: string): Promise<RemoteManifest | undefined> {
  const headers = { Accept: `${MANIFEST_TYPE}, ${INDEX_TYPE}` };
  const reply = await request(repository, address(repository, `manifests/${name}`), { headers });
  if (reply.status === 404) return void (await reply.body?.cancel());
  if (!reply.ok) throw await refused(reply, `the manifest ${name}`, repository.shown);
  const bytes = await boundedBody(repository, reply, `the manifest ${name}`);
  const digest = `sha256:${hashText(bytes)}`;
  const told = reply.headers.get("Docker-Content-Digest");
  const wrong = [name.startsWith("sha256:") ? name : digest, told?.startsWith("sha256:") ? told : digest].find(
    (other) => other !== digest,
  );
  if (wrong !== undefined)
    throw failed(
      `${repository.shown} sent a manifest with ${digest} where it is to be ${wrong}`,
      "do not use it; a proxy may change manifests",
    );
  return { bytes, digest, mediaType: reply.headers.get("Content-Type") ?? "" };
}

/** Reads a small reply. @throws RerankTuneError OCI_FAILED when it is not small. */
export async function boundedBody(repository: OciRepository, reply: Response, what: string): Promise<Buffer> {
  const bytes = await firstBytes(reply, LONGEST_MANIFEST + 1).catch((error: unknown) => {
    throw ociFailure(error, repository.shown, repository.signal);
  });
  if (bytes.length > LONGEST_MANIFEST)
    throw failed(`${repository.shown} sent more than ${LONGEST_MANIFEST} bytes for ${what}`, "do not use it");
  return bytes;
}

/** @returns the reply's headers. */
export async function putManifest(
  repository: OciRepository,
  name: string,
  bytes: Buffer | string,
  mediaType: string = MANIFEST_TYPE,
): Promise<Headers> {
  const init = { method: "PUT", headers: { "Content-Type": mediaType }, body: new Uint8Array(Buffer.from(bytes)) };
  const reply = await request(repository, address(repository, `manifests/${name}`), init);
  if (!reply.ok) throw await refused(reply, `writing the manifest ${name}`, repository.shown);
  await reply.body?.cancel();
  return reply.headers;
}
