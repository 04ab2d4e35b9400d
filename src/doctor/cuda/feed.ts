// Where a NuGet feed keeps a package, how large it is and which digest it must have (NuGet Server API v3: service index, registration, catalog entry).
import { z } from "zod";
import { RerankTuneError } from "../../errors.js";
import { type HubAccess, persistentFetch } from "../../hub/access.js";
import type { RemoteFile } from "../../hub/download.js";
import type { CudaPackage } from "./package.js";

export interface FeedPackage {
  url: string;
  file: RemoteFile;
}

const indexSchema = z.object({ resources: z.array(z.object({ "@id": z.string(), "@type": z.string() })) });
const leafSchema = z.object({ catalogEntry: z.union([z.string(), z.object({ "@id": z.string() })]) });
const entrySchema = z.object({
  packageHash: z.string().regex(/^[A-Za-z0-9+/]{86}==$/),
  packageHashAlgorithm: z.literal("SHA512"),
  packageSize: z.int().positive(),
});

type Access = Pick<HubAccess, "fetch" | "signal" | "patience">;

/** @throws RerankTuneError DOWNLOAD_FAILED when the feed does not answer, lacks the package, or gives no digest of it. */
export async function findInFeed(wanted: CudaPackage, access: Access): Promise<FeedPackage> {
  const { resources } = await json(wanted.feed, indexSchema, wanted, access);
  const place = (type: string) =>
    resources.find((resource) => resource["@type"] === type)?.["@id"].replace(/\/*$/, "/");
  const content = place("PackageBaseAddress/3.0.0");
  const registration =
    place("RegistrationsBaseUrl/3.6.0") ?? place("RegistrationsBaseUrl/3.4.0") ?? place("RegistrationsBaseUrl");
  if (content === undefined || registration === undefined)
    throw unusable(wanted, "it names no place of packages or of their registrations");
  const [id, version] = [wanted.id.toLowerCase(), wanted.version.toLowerCase()];
  const leaf = await json(`${registration}${id}/${version}.json`, leafSchema, wanted, access);
  const entry = typeof leaf.catalogEntry === "string" ? leaf.catalogEntry : leaf.catalogEntry["@id"];
  const { packageHash, packageSize } = await json(entry, entrySchema, wanted, access);
  const path = `${id}.${version}.nupkg`;
  const digest = { algorithm: "sha512", hex: Buffer.from(packageHash, "base64").toString("hex") } as const;
  return { url: `${content}${id}/${version}/${path}`, file: { path, size: packageSize, digest } };
}

async function json<Shape>(url: string, schema: z.ZodType<Shape>, wanted: CudaPackage, access: Access): Promise<Shape> {
  const reply = await persistentFetch(access, url).catch((error: Error & { cause?: { code?: string } }) => {
    if (access.signal.aborted) throw error;
    throw unusable(wanted, `${url} cannot be reached (${error.cause?.code ?? error.message})`, error);
  });
  if (!reply.ok) throw unusable(wanted, `${url} answered ${reply.status}`);
  const parsed = schema.safeParse(await reply.json().catch(() => undefined));
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues[0];
  throw unusable(wanted, `${url} is not what NuGet's API says (${problem?.path.join(".") || "no JSON"})`);
}

/** The way out that always works: the file itself, brought by hand. */
export function unusable(wanted: CudaPackage, reason: string, cause?: unknown): RerankTuneError {
  const { id, version, feed } = wanted;
  return new RerankTuneError({
    code: "DOWNLOAD_FAILED",
    message: `${id} ${version} cannot be fetched from ${feed}: ${reason}.`,
    hint: `check HTTPS_PROXY, or give a mirror with --cuda-feed; without a network, fetch https://www.nuget.org/api/v2/package/${id}/${version} elsewhere and run \`rerank-tune doctor --install-cuda --cuda-package FILE\``,
    cause,
  });
}
