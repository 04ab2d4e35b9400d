// The OCI leg of a release, counted: artefacts to docker-registry and back by us and by skopeo, and a registry killed in the middle of a push.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { fetchVersion } from "../../src/destinations/oci/fetch.js";
import { ociDestination } from "../../src/destinations/oci/index.js";
import { type FrozenVersion, openRegistry } from "../../src/registry/index.js";
import { startDockerRegistry } from "./docker-registry.js";
import { publishModel } from "./model-versions.js";
import { startTap } from "./registry-tap.js";
import { releaseContext } from "./release-context.js";

/** Short, so that a killed registry is noticed soon. */
const PATIENCE = { attempts: 2, pauseMs: 10, silenceMs: 10_000 };

/** @throws Error with the way to install it where it is missing. */
export async function skopeo(...args: string[]): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)("skopeo", args, { maxBuffer: 1 << 26 });
    return stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      throw new Error("skopeo is missing: run `apt-get install docker-registry skopeo`");
    throw error;
  }
}

export const sha256 = (bytes: string | Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** Blobs of a version that are the same, byte for byte, in an OCI layout elsewhere. */
async function equalBlobs(
  { manifest, blob, digest }: FrozenVersion,
  layout: string,
): Promise<{ equal: number; all: number }> {
  const digests = [digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)];
  let equal = 0;
  for (const each of new Set(digests)) {
    const there = await readFile(join(layout, "blobs", "sha256", each.slice("sha256:".length)));
    if (there.equals(await readFile(blob(each)))) equal += 1;
  }
  return { equal, all: new Set(digests).size };
}

export interface RoundTrip {
  artefacts: number;
  /** Blobs that came back the same, of all, by each way. */
  oursToSkopeo: { equal: number; all: number };
  skopeoToOurs: { equal: number; all: number };
  oursToOurs: { equal: number; all: number };
  /** Versions whose digest is the same in every place. */
  digests: number;
  referrers: { sent: number; back: number };
  bytes: number;
}

/** @param folder empty; everything lies in it. @param bytes of the weights of an artefact. */
export async function roundTrips(folder: string, artefacts: number, bytes: number): Promise<RoundTrip> {
  const docker = await startDockerRegistry(join(folder, "docker"));
  const found: RoundTrip = {
    artefacts,
    oursToSkopeo: none(),
    skopeoToOurs: none(),
    oursToOurs: none(),
    digests: 0,
    referrers: { sent: 0, back: 0 },
    bytes: 0,
  };
  const [source, back, foreign] = ["source", "back", "foreign"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const context = releaseContext(folder);
  const insecure = ["--dest-tls-verify=false", "--src-tls-verify=false"];
  try {
    for (let count = 0; count < artefacts; count += 1) {
      const name = `model-${count}`;
      await publishModel(source, {
        name,
        alias: "latest",
        weights: { "onnx/model.onnx_data": bytes + count },
        reports: count % 3,
      });
      const version = await (await openRegistry(source)).frozen(name);
      const target = `${docker.host}/team/${name}:v1`;
      const release = await (
        await ociDestination({ patience: PATIENCE }).prepare(`oci://${target}`, version, context)
      ).carryOut();
      found.bytes += release.bytes_sent;
      const layout = join(folder, `layout-${count}`);
      await skopeo("copy", "--quiet", ...insecure, `docker://${target}`, `oci:${layout}:v1`);
      add(found.oursToSkopeo, await equalBlobs(version, layout));
      const fetched = await fetchVersion(`oci://${target}`, { ...context, registry: back, patience: PATIENCE });
      add(found.oursToOurs, await equalBlobs(version, back));
      const other = `${docker.host}/by-skopeo/${name}:v1`;
      await skopeo("copy", "--quiet", ...insecure, `oci:${layout}:v1`, `docker://${other}`);
      const theirs = await fetchVersion(`oci://${other}`, { ...context, registry: foreign, patience: PATIENCE });
      add(found.skopeoToOurs, await equalBlobs(version, foreign));
      const raw = sha256(await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${target}`));
      if ([release.revision, fetched.digest, theirs.digest, raw].every((digest) => digest === version.digest))
        found.digests += 1;
      found.referrers.sent += version.referrers.length;
      found.referrers.back += fetched.referrers;
    }
    for (const registry of [back, foreign]) await (await openRegistry(registry)).verify();
    return found;
  } finally {
    await docker.kill();
  }
}

const none = () => ({ equal: 0, all: 0 });

function add(sum: { equal: number; all: number }, more: { equal: number; all: number }): void {
  sum.equal += more.equal;
  sum.all += more.all;
}

export interface Kill {
  /** Share of the bytes that had left when the registry was killed. */
  at: number;
  /** Bytes that the first run sent, and those of whole blobs that the registry had then. */
  sent: number;
  stored: number;
  /** Bytes of the whole version, and those that the second run sent. */
  all: number;
  sentAgain: number;
  /** Of blobs that were stored already. */
  storedSentAgain: number;
  /** The tag before the second run: nobody may see a part. */
  tagBefore: boolean;
  sameDigest: boolean;
  clean: boolean;
}

/** Kills the registry with SIGKILL when `share` of the bytes have left, starts it again, and releases once more. */
export async function killAndRerun(folder: string, share: number, bytes: number): Promise<Kill> {
  const docker = await startDockerRegistry(join(folder, "docker"));
  const tap = await startTap(docker.port);
  try {
    const weights = Object.fromEntries(
      ["a", "b", "c", "d"].map((name, at) => [`onnx/${name}.onnx_data`, Math.ceil((bytes * (at + 1)) / 10)]),
    );
    await publishModel(join(folder, "source"), { name: "model", alias: "latest", weights });
    const version = await (await openRegistry(join(folder, "source"))).frozen("model");
    const blobs = new Map(
      [version.manifest, ...version.referrers.map(({ manifest }) => manifest)]
        .flatMap(({ config, layers }) => [config, ...layers])
        .map(({ digest, size }) => [digest, size]),
    );
    const all = [...blobs.values()].reduce((sum, size) => sum + size, 0);
    const destination = ociDestination({ patience: PATIENCE, chunkBytes: Math.ceil(bytes / 20) });
    const release = async () =>
      await (await destination.prepare(`oci://${tap.host}/team/model:v1`, version, releaseContext(folder))).carryOut();
    let killed: Promise<void> | undefined;
    tap.onUpload = (uploaded) => {
      if (uploaded >= share * all) killed ??= docker.kill();
    };
    const failure = await release().then(
      () => undefined,
      (error) => error as { code?: string },
    );
    await killed;
    if (killed === undefined || failure?.code !== "OCI_FAILED")
      throw new Error(`the push did not fail as it should: ${JSON.stringify(failure)}`);
    const there = await docker.stored("team/model");
    const stored = [...blobs].reduce((sum, [digest, size]) => sum + (there.has(digest) ? size : 0), 0);
    await docker.start();
    const tags = await fetch(`http://${docker.host}/v2/team/model/manifests/v1`, { headers: { Accept: "*/*" } });
    const sent = tap.uploaded;
    tap.uploaded = 0;
    delete tap.onUpload;
    const { revision } = await release();
    const sentAgain = tap.uploaded;
    const back = await fetchVersion(`oci://${docker.host}/team/model:v1`, {
      ...releaseContext(folder),
      registry: join(folder, "back"),
      patience: PATIENCE,
    });
    const report = await (await openRegistry(join(folder, "back"))).verify();
    return {
      at: share,
      sent,
      stored,
      all,
      sentAgain,
      storedSentAgain: Math.max(0, sentAgain - (all - stored)),
      tagBefore: tags.ok,
      sameDigest: revision === version.digest && back.digest === version.digest,
      clean: report.problems.length === 0,
    };
  } finally {
    tap.close();
    await docker.kill();
  }
}
