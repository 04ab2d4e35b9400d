// Releases to the real docker-registry through a tap: who we are, what is sent once, what goes on after an interruption, what is tried again.
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { fetchIntoRegistry } from "../../src/commands/fetch.js";
import { newKeys, signVersion } from "../../src/commands/sign.js";
import { fetchVersion } from "../../src/destinations/oci/fetch.js";
import { type OciSettings, ociDestination } from "../../src/destinations/oci/index.js";
import { type FrozenVersion, openRegistry } from "../../src/registry/index.js";
import { type DockerRegistry, startDockerRegistry } from "../helpers/docker-registry.js";
import { folderPerTest } from "../helpers/folder-per-test.js";
import { publishModel } from "../helpers/model-versions.js";
import { skopeo } from "../helpers/oci-leg.js";
import { type RegistryTap, startTap } from "../helpers/registry-tap.js";
import { releaseContext } from "../helpers/release-context.js";

const PATIENCE = { attempts: 3, pauseMs: 1, silenceMs: 5000 };
const WEIGHTS = 3_000_000;
const CHUNK = 500_000;
/** bcrypt of `s3cret-word`. */
const HTPASSWD = "robot:$2b$04$abcdefghijklmnopqrstuuzQDw2v3CQSMowG.sq3X.nH1lfmlmQMW\n";
const AUTH = `Basic ${Buffer.from("robot:s3cret-word").toString("base64")}`;

const folder = folderPerTest();
let common = "";
beforeAll(async () => {
  common = await mkdtemp(join(tmpdir(), "rerank-tune-test-"));
});
// Hooks of this kind run in the reverse order: the registries below end first.
afterAll(() => rm(common, { recursive: true, force: true }));
let docker: DockerRegistry;
let tap: RegistryTap;

/** One for each set of users, and a repository of its own for every test: starting them takes longer than the tests. */
const running = new Map<string, Promise<DockerRegistry>>();
let repositoryOfTest = "";
let tests = 0;

async function begin(htpasswd = ""): Promise<void> {
  const registry =
    running.get(htpasswd) ??
    startDockerRegistry(join(common, `docker-${running.size}`), htpasswd === "" ? {} : { htpasswd });
  running.set(htpasswd, registry);
  docker = await registry;
  tap = await startTap(docker.port);
  tests += 1;
  repositoryOfTest = `team-${tests}/model`;
}
afterEach(() => tap.close());
afterAll(async () => {
  for (const registry of running.values()) await (await registry).kill();
});

interface Way extends Partial<OciSettings> {
  repository?: string;
  variables?: NodeJS.ProcessEnv;
  reports?: number;
  /** Name of a model in a registry of the test's own, to be harmed. */
  own?: string;
}

const kept = new Map<number, Promise<FrozenVersion>>();

/** Published once for all tests: nothing may change it. */
function shared(reports: number): Promise<FrozenVersion> {
  const version = kept.get(reports) ?? published(join(common, `${reports}`), reports);
  kept.set(reports, version);
  return version;
}

async function published(root: string, reports: number, name = "model"): Promise<FrozenVersion> {
  await publishModel(root, { name, alias: "latest", weights: { "onnx/model.onnx_data": WEIGHTS }, reports });
  return await (await openRegistry(root)).frozen(name);
}

/** A version with one large file, prepared for the tap. */
async function prepared(way: Way = {}) {
  const { repository = repositoryOfTest, variables, reports = 1, own, ...settings } = way;
  const version = await (own === undefined ? shared(reports) : published(join(folder(), "source"), reports, own));
  const context = releaseContext(folder(), variables);
  const destination = ociDestination({ patience: PATIENCE, chunkBytes: CHUNK, ...settings });
  return { version, context, ...(await destination.prepare(`oci://${tap.host}/${repository}:v1`, version, context)) };
}

async function release(way: Way = {}) {
  const { version, context, plan, carryOut } = await prepared(way);
  return { ...(await carryOut()), version, context, plan };
}

const fetchBack = (text = `oci://${docker.host}/${repositoryOfTest}:v1`, more: object = {}) =>
  fetchVersion(text, { ...releaseContext(folder()), registry: join(folder(), "back"), patience: PATIENCE, ...more });

const isPatch = ({ method }: IncomingMessage): boolean => method === "PATCH";

describe("a release", () => {
  beforeEach(() => begin());

  test("is planned without writing anything", async () => {
    const { plan } = await prepared();
    expect(plan.steps.map(({ does }) => does)).toEqual([
      expect.stringMatching(/^send 8 of 8 blobs to 127/),
      expect.stringMatching(/^write the manifest sha256:/),
      "write the reports and statements about it (1)",
      "set the tag v1",
    ]);
    expect(plan.notes).toContain("plain http: nothing is encrypted on the way");
    expect(tap.requests.filter((request) => !/^(HEAD|GET) /.test(request))).toEqual([]);
  });

  test("sets the tag last, when all else is there", async () => {
    const { version } = await release();
    const writes = tap.requests.filter((request) => /^(PUT|PATCH|POST) /.test(request));
    const manifests = writes.filter((request) => request.includes("/manifests/"));
    expect(writes.slice(-manifests.length)).toEqual(manifests);
    expect(manifests.map((request) => request.split("/manifests/")[1])).toEqual([
      version.digest,
      version.referrers[0]?.descriptor.digest,
      version.digest.replace(":", "-"),
      "v1",
    ]);
  });

  test("sends nothing the second time, and says that the tag stays", async () => {
    const first = await release();
    const again = await release();
    expect(first.bytes_sent).toBeGreaterThan(WEIGHTS);
    expect(again.bytes_sent).toBe(0);
    expect(again.plan.steps.at(-1)?.does).toBe("keep the tag v1");
  });

  test("tells commands that get exactly this version, and they do when the tag has moved", async () => {
    const { use, version } = await release();
    expect((await release({ own: "other" })).version.digest).not.toBe(version.digest);
    const [fetching = "", copying = ""] = use;
    const [, reference = ""] = /^rerank-tune registry fetch (\S+)$/.exec(fetching) ?? [];
    expect(await fetchBack(reference, { as: "pinned" })).toMatchObject({ digest: version.digest });
    const layout = join(folder(), "copied");
    await skopeo(...copying.replace("FOLDER", layout).split(" ").slice(1));
    expect(await readFile(join(layout, "blobs", "sha256", version.digest.slice(7)))).toEqual(
      await readFile(version.blob(version.digest)),
    );
  });

  test("to another repository of the same registry mounts what is there", async () => {
    await release();
    const { bytes_sent, context } = await release({ repository: "prod/model" });
    expect(bytes_sent).toBe(0);
    expect(context.events).toContainEqual({
      type: "note",
      message: "8 blobs were mounted from another repository of the registry",
    });
    expect(await fetchBack(`oci://${docker.host}/prod/model:v1`)).toMatchObject({ name: "model", alias: "v1" });
  });

  test("adds later reports to those that are listed", async () => {
    await release();
    const { version } = await release({ reports: 3 });
    expect(version.referrers).toHaveLength(3);
    expect(await fetchBack()).toMatchObject({ referrers: 3, digest: version.digest });
    const shown = await (await openRegistry(join(folder(), "back"))).show("model:v1");
    expect(shown.reports.map(({ content }) => content)).toEqual([0, 1, 2].map((count) => ({ name: "model", count })));
  });

  test("of a damaged blob is refused, and its tag is not set", async () => {
    const { version, carryOut } = await prepared({ own: "model" });
    const data = version.files.find(({ path }) => path === "onnx/model.onnx_data");
    await chmod(data?.blob ?? "", 0o644);
    await writeFile(data?.blob ?? "", Buffer.alloc(WEIGHTS, 1));
    await expect(carryOut()).rejects.toMatchObject({
      code: "REGISTRY_CORRUPT",
      message: expect.stringContaining(`sha256:${data?.sha256}`),
    });
    expect(tap.uploaded).toBeLessThan(1.2 * WEIGHTS);
    await expect(fetchBack()).rejects.toMatchObject({ code: "OCI_NOT_FOUND" });
  });

  test("to a digest is refused", async () => {
    const version = (await prepared()).version;
    const target = `oci://${tap.host}/${repositoryOfTest}@${version.digest}`;
    await expect(ociDestination().prepare(target, version, releaseContext(folder()))).rejects.toMatchObject({
      code: "USAGE",
    });
  });
});

describe("an interrupted upload", () => {
  beforeEach(() => begin());

  test("goes on from the last chunk in the same run", async () => {
    let cut = false;
    tap.fault = (incoming) => {
      if (!isPatch(incoming) || cut || tap.uploaded < 3 * CHUNK) return false;
      cut = true;
      incoming.socket.destroy();
      return true;
    };
    const { version } = await release();
    expect(cut).toBe(true);
    const all = [
      ...new Map(
        [version.manifest, ...version.referrers.map(({ manifest }) => manifest)]
          .flatMap(({ config, layers }) => [config, ...layers])
          .map(({ digest, size }) => [digest, size]),
      ).values(),
    ].reduce((sum, size) => sum + size, 0);
    expect(tap.uploaded).toBe(all);
  });

  test("goes on from the last chunk in the next run, by the address that was remembered", async () => {
    tap.fault = (incoming) => {
      if (!isPatch(incoming) || tap.uploaded < 4 * CHUNK) return false;
      incoming.socket.destroy();
      return true;
    };
    await expect(release()).rejects.toMatchObject({
      code: "OCI_FAILED",
      hint: expect.stringContaining("run the same command again"),
    });
    const before = tap.uploaded;
    delete tap.fault;
    tap.uploaded = 0;
    await release();
    expect(before).toBeGreaterThanOrEqual(4 * CHUNK);
    expect(tap.uploaded).toBe(WEIGHTS - 4 * CHUNK);
    expect((await fetchBack()).bytes).toBeGreaterThan(WEIGHTS);
  });

  test("that the registry has forgotten begins anew", async () => {
    tap.fault = (incoming) => {
      if (!isPatch(incoming) || tap.uploaded < 4 * CHUNK) return false;
      incoming.socket.destroy();
      return true;
    };
    await expect(release()).rejects.toMatchObject({ code: "OCI_FAILED" });
    tap.uploaded = 0;
    tap.fault = (incoming, reply) => {
      if (incoming.method !== "GET" || !(incoming.url ?? "").includes("/blobs/uploads/")) return false;
      reply.writeHead(404).end();
      return true;
    };
    await release();
    expect(tap.uploaded).toBe(WEIGHTS);
  });

  test("whose last reply was lost is found to be there", async () => {
    let lost = 0;
    tap.loseReply = ({ method, url = "" }) => {
      if (method !== "PUT" || !url.includes("/blobs/uploads/")) return false;
      lost += 1;
      return true;
    };
    const { bytes_sent } = await release();
    expect(lost).toBe(8);
    expect(tap.uploaded).toBe(bytes_sent);
  });

  test("that stands still is given up and tried again", async () => {
    let held = 0;
    tap.fault = (incoming) => {
      if (!isPatch(incoming) || held > 0) return false;
      held += 1;
      return true; // never answers
    };
    const { revision, version } = await release({ patience: { ...PATIENCE, silenceMs: 2000 } });
    expect(held).toBe(1);
    expect(revision).toBe(version.digest);
  });
});

describe("a reply of", () => {
  beforeEach(() => begin());

  test.each([408, 429, 500, 502, 503, 504])("%i is tried again", async (status) => {
    const left = new Set(["HEAD", "POST", "PATCH", "PUT"]);
    tap.fault = ({ method = "" }, reply) => {
      if (!left.delete(method)) return false;
      reply.writeHead(status).end();
      return true;
    };
    const { revision, version } = await release();
    expect(revision).toBe(version.digest);
    expect(left.size).toBe(0);
  });

  test("429 is heeded for as long as it says", async () => {
    let refused = 0;
    tap.fault = (incoming, reply) => {
      if (!isPatch(incoming) || refused > 0) return false;
      refused = performance.now();
      reply.writeHead(429, { "Retry-After": "1" }).end();
      return true;
    };
    let next = 0;
    tap.onUpload = () => {
      if (refused > 0 && next === 0) next = performance.now();
    };
    await release();
    expect(next - refused).toBeGreaterThan(950);
  });

  test.each([
    [403, "OCI_UNAUTHORIZED", "the right to do this"],
    [405, "OCI_FAILED", "takes no writes"],
    [413, "OCI_FAILED", "limits the size of requests"],
  ])("%i ends the upload at once, with a way out", async (status, code, hint) => {
    let refused = 0;
    tap.fault = (incoming, reply) => {
      if (!isPatch(incoming)) return false;
      refused += 1;
      reply.writeHead(status).end('{"errors":[{"code":"DENIED","message":"secret text"}]}');
      return true;
    };
    await expect(release()).rejects.toMatchObject({
      code,
      hint: expect.stringContaining(hint),
      message: expect.not.stringContaining("secret text"),
    });
    expect(refused).toBe(1);
  });
});

describe("the Referrers API", () => {
  test("where the registry has it, takes the place of the tag", async () => {
    await begin();
    const listed: unknown[] = [];
    tap.onReply = (incoming, headers) => {
      const name = incoming.url?.split("/manifests/")[1];
      if (incoming.method !== "PUT" || !name?.startsWith("sha256:") || name === version.digest) return;
      headers["oci-subject"] = version.digest;
      listed.push({ mediaType: "application/vnd.oci.image.manifest.v1+json", digest: name, size: 1 });
    };
    tap.fault = ({ url = "" }, reply) => {
      const at = url.indexOf("/referrers/");
      if (at < 0) return false;
      // Two pages: the first names the second.
      const isSecond = url.includes("page=2");
      const link = isSecond ? {} : { Link: `<${url}?page=2>; rel="next"` };
      reply.writeHead(200, link).end(JSON.stringify({ manifests: isSecond ? listed.slice(1) : listed.slice(0, 1) }));
      return true;
    };
    const { version, carryOut } = await prepared({ reports: 2 });
    await carryOut();
    expect(tap.requests.filter((request) => request.includes("/manifests/sha256-"))).toEqual([]);
    expect(await fetchBack(`oci://${tap.host}/${repositoryOfTest}:v1`)).toMatchObject({ referrers: 2 });
  });
});

describe("a registry that asks who we are", () => {
  test.each([
    ["the environment", async () => ({ RERANK_TUNE_OCI_USERNAME: "robot", RERANK_TUNE_OCI_PASSWORD: "s3cret-word" })],
    [
      "docker's config.json",
      async () => {
        await writeFile(
          join(folder(), "config.json"),
          JSON.stringify({ auths: { [tap.host]: { auth: AUTH.slice(6) } } }),
        );
        return { DOCKER_CONFIG: folder() };
      },
    ],
  ])("takes basic credentials of %s, and nothing shows them", async (_title, variables) => {
    await begin(HTPASSWD);
    const found = await release({ variables: await variables() });
    expect(found.revision).toBe(found.version.digest);
    expect(tap.authorizations).toContain(AUTH);
    expect(JSON.stringify([found.plan, found.address, found.context.events])).not.toMatch(/s3cret|cm9ib3Q6/);
  });

  test.each([
    ["none", {}],
    ["wrong ones", { RERANK_TUNE_OCI_USERNAME: "robot", RERANK_TUNE_OCI_PASSWORD: "wr0ng-word" }],
  ])("refuses %s before a byte is sent, and says how to sign in", async (_title, variables) => {
    await begin(HTPASSWD);
    const error = await release({ variables }).then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: "OCI_UNAUTHORIZED", hint: expect.stringContaining("docker login") });
    expect(`${error?.message} ${error?.stack}`).not.toContain("wr0ng-word");
    expect(tap.uploaded).toBe(0);
  });

  test("gets bearer tokens of its own server, new ones when they run out", async () => {
    await begin();
    const asked: { url: string; authorization: string | undefined }[] = [];
    let uses = 0;
    const issuer = createServer(({ url = "", headers }, reply) => {
      asked.push({ url, authorization: headers.authorization });
      uses = 0;
      reply.writeHead(200).end(JSON.stringify({ token: `token-${asked.length}` }));
    });
    await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void issuer.close());
    const realm = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}/token`;
    tap.fault = (incoming, reply) => {
      uses += 1;
      if (incoming.headers.authorization === `Bearer token-${asked.length}` && uses <= 15) return false;
      reply
        .writeHead(401, {
          "WWW-Authenticate": `Bearer realm="${realm}",service="test",scope="repository:${repositoryOfTest}:pull"`,
        })
        .end();
      return true;
    };
    const { revision, version } = await release({
      variables: { RERANK_TUNE_OCI_USERNAME: "robot", RERANK_TUNE_OCI_PASSWORD: "s3cret-word" },
    });
    expect(revision).toBe(version.digest);
    expect(asked.length).toBeGreaterThan(2);
    const [first] = asked;
    expect(first?.authorization).toBe(AUTH);
    expect([...new URL(first?.url ?? "", realm).searchParams]).toEqual([
      ["service", "test"],
      ["scope", `repository:${repositoryOfTest}:pull`],
      ["scope", `repository:${repositoryOfTest}:pull,push`],
    ]);
    expect(tap.authorizations).not.toContain(AUTH);
  });

  test("and names a token server elsewhere without encryption gets no password", async () => {
    await begin();
    tap.fault = (_incoming, reply) => {
      reply.writeHead(401, { "WWW-Authenticate": 'Bearer realm="http://auth.example/token"' }).end();
      return true;
    };
    const variables = { RERANK_TUNE_OCI_USERNAME: "robot", RERANK_TUNE_OCI_PASSWORD: "s3cret-word" };
    await expect(release({ variables })).rejects.toMatchObject({
      code: "OCI_FAILED",
      message: expect.stringContaining("cannot be trusted"),
    });
    expect(tap.authorizations.every((header) => header === undefined)).toBe(true);
  });
});

describe("fetching", () => {
  beforeEach(() => begin());

  test("by digest, under a name of one's own, moves that alias and says why", async () => {
    const { version } = await release();
    const found = await fetchBack(`oci://${docker.host}/${repositoryOfTest}@${version.digest}`, { as: "mine:staging" });
    expect(found).toMatchObject({ version: `mine@${version.digest}`, alias: "staging", added: true, referrers: 1 });
    const again = await fetchBack(`oci://${docker.host}/${repositoryOfTest}@${version.digest}`, { as: "mine:staging" });
    expect(again).toMatchObject({ added: false, bytes_added: 0 });
    const registry = await openRegistry(join(folder(), "back"));
    expect(await registry.verify()).toMatchObject({ versions: 1, unused: 0, problems: [] });
  });

  test("with a key brings in what that key signed alone, and looks before any file comes", async () => {
    const root = join(folder(), "source");
    const source = { artifacts: root, registry: root };
    const [key, other] = [join(folder(), "key.pem"), join(folder(), "other.pem")];
    await published(root, 0);
    for (const file of [key, other]) await newKeys(file, {});
    const signAndSend = async (by: string) => {
      await signVersion("model", { ...source, key: by });
      const version = await (await openRegistry(root)).frozen("model");
      const destination = ociDestination({ patience: PATIENCE, chunkBytes: CHUNK });
      const target = `oci://${tap.host}/${repositoryOfTest}:v1`;
      await (await destination.prepare(target, version, releaseContext(folder()))).carryOut();
      return version;
    };
    const { variables, signal, emit } = releaseContext(folder());
    vi.stubEnv("RERANK_TUNE_HOME", variables.RERANK_TUNE_HOME);
    onTestFinished(() => void vi.unstubAllEnvs());
    const back = join(folder(), "back");
    const context = { signal, emit, home: "", python: () => Promise.reject() };
    const bring = () =>
      fetchIntoRegistry(
        `oci://${tap.host}/${repositoryOfTest}:v1`,
        { artifacts: back, registry: back, key: [`${key}.pub`] },
        context,
      );
    const { files } = await signAndSend(other);
    await expect(bring()).rejects.toMatchObject({ code: "SIGNATURE_INVALID", exitCode: 3 });
    const large = files.find(({ path }) => path === "onnx/model.onnx_data")?.sha256;
    expect(tap.requests.filter((request) => request.startsWith("GET ") && request.includes(`${large}`))).toEqual([]);
    await expect(openRegistry(back)).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
    const { digest } = await signAndSend(key);
    expect((await bring()).data).toMatchObject({ digest, signer: "key.pem.pub", referrers: 2 });
  });

  test("what is not there says so and makes no registry", async () => {
    await expect(fetchBack()).rejects.toMatchObject({ code: "OCI_NOT_FOUND" });
    await expect(openRegistry(join(folder(), "back"))).rejects.toMatchObject({ code: "REGISTRY_NOT_FOUND" });
  });

  test("goes on with the part of a file that came before", async () => {
    const { version } = await release();
    const data = version.files.find(({ path }) => path === "onnx/model.onnx_data");
    let cuts = 0;
    tap.onReply = ({ url = "" }, headers) => {
      if (url.includes(`${data?.sha256}`) && cuts++ < 1) headers["content-length"] = String(WEIGHTS + 10);
    };
    const found = await fetchBack(`oci://${tap.host}/${repositoryOfTest}:v1`);
    expect(found.digest).toBe(version.digest);
  });

  test("refuses a name that cannot stand here before anything is asked", async () => {
    await expect(fetchBack(undefined, { as: "Mine" })).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("--as NAME"),
    });
  });
});
