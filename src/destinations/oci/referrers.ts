// Reports and signatures of a version: found and made findable by the Referrers API, else by the tag that stands in for it (distribution specification, "Referrers tag schema").
import { isObject, jsonOf } from "../../artifacts/json-value.js";
import { type Descriptor, descriptorSchema, INDEX_TYPE } from "../../registry/index.js";
import { address, boundedBody, type OciRepository, putManifest, readManifest, request } from "./client.js";
import { failed, refused } from "./failures.js";

/** Tries to write the index of referrers when others write it at the same time. */
const ATTEMPTS = 5;
/** A version has a handful. */
const MOST_PAGES = 20;

/** `sha256-<hex>`. */
export const referrersTag = (digest: string): string => digest.replace(":", "-");

/** Descriptors of all manifests whose subject is `digest`. @throws RerankTuneError OCI_FAILED, OCI_UNAUTHORIZED. */
export async function listReferrers(repository: OciRepository, digest: string): Promise<Descriptor[]> {
  return (await fromApi(repository, digest)) ?? (await fromTag(repository, digest));
}

/** Undefined where the registry has no such call. */
async function fromApi(repository: OciRepository, digest: string): Promise<Descriptor[] | undefined> {
  const found: Descriptor[] = [];
  let next: string | undefined = address(repository, `referrers/${digest}`);
  for (let page = 0; next !== undefined; page += 1) {
    const reply = await request(repository, next, { headers: { Accept: INDEX_TYPE } });
    if (page === 0 && [404, 405, 400].includes(reply.status)) return void (await reply.body?.cancel());
    if (!reply.ok) throw await refused(reply, `the referrers of ${digest}`, repository.shown);
    found.push(...descriptorsOf(await boundedBody(repository, reply, `the referrers of ${digest}`)));
    if (page >= MOST_PAGES)
      throw failed(`${repository.shown} lists referrers of ${digest} without an end`, "do not use this registry");
    next = nextPage(repository, reply.headers.get("Link"));
  }
  return found;
}

/** `Link: <…>; rel="next"`; only of the same registry, so that credentials stay there. */
function nextPage({ reference }: OciRepository, link: string | null): string | undefined {
  const text = /<([^>]+)>\s*;[^,]*rel="?next"?/.exec(link ?? "")?.[1];
  if (text === undefined || !URL.canParse(text, reference.origin)) return undefined;
  const page = new URL(text, reference.origin);
  return page.origin === new URL(reference.origin).origin ? page.href : undefined;
}

async function fromTag(repository: OciRepository, digest: string): Promise<Descriptor[]> {
  const index = await readManifest(repository, referrersTag(digest));
  return index === undefined ? [] : descriptorsOf(index.bytes);
}

function descriptorsOf(bytes: Buffer): Descriptor[] {
  const value = jsonOf(bytes.toString("utf8"));
  const manifests = isObject(value) && Array.isArray(value.manifests) ? value.manifests : [];
  return manifests.flatMap((entry) => descriptorSchema.safeParse(entry).data ?? []);
}

/** Writes a referrer, and lists it by tag where the registry does not list it by itself. Its blobs are there. */
export async function putReferrer(
  repository: OciRepository,
  subject: string,
  referrer: Descriptor,
  bytes: Buffer,
): Promise<void> {
  const headers = await putManifest(repository, referrer.digest, bytes);
  // With this header the registry says that it knows what a subject is.
  if (headers.get("OCI-Subject") === subject) return;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const listed = await fromTag(repository, subject);
    if (listed.some(({ digest }) => digest === referrer.digest)) return;
    const { mediaType, artifactType, digest, size } = referrer;
    const manifests = [...listed, { mediaType, artifactType, digest, size }];
    await putManifest(
      repository,
      referrersTag(subject),
      JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }),
      INDEX_TYPE,
    );
  }
  const listed = await fromTag(repository, subject);
  if (!listed.some(({ digest }) => digest === referrer.digest))
    throw failed(
      `${repository.shown} does not keep ${referrer.digest} in its list of referrers: others write it at the same time`,
    );
}
