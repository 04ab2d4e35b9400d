// What stops a release before a byte leaves, what happens to bytes that change on the way, and where the token must never be.
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { hubDestination } from "../../src/destinations/hub/index.js";
import { RerankTuneError } from "../../src/errors.js";
import {
  CARD,
  contextOf,
  noise,
  prepared,
  QUICK,
  type Releasable,
  type ReleasableOptions,
  releasable,
} from "../helpers/releasable.js";
import { temporaryFolder } from "../helpers/temporary-folder.js";
import { type Account, type HubServer, startHubServer, TOKEN } from "../stand-ins/hub/server.js";
import { largeEntry, regularEntry, sha256 } from "../stand-ins/hub/store.js";

const REPO = "acme/tiny";
let hub: HubServer;
let folder: string;

beforeEach(async () => {
  hub = await startHubServer();
  onTestFinished(() => hub.close());
  folder = await temporaryFolder();
});

const source = (options: ReleasableOptions = {}): Promise<Releasable> => releasable(join(folder, "registry"), options);
const place = (variables: NodeJS.ProcessEnv = {}) => ({ url: hub.url, token: TOKEN, variables });

async function failure(work: () => Promise<unknown>): Promise<RerankTuneError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof RerankTuneError) return error;
    throw error;
  }
  throw new Error("nothing failed");
}
const refusal = async (options: ReleasableOptions, target = `hub:${REPO}`, variables: NodeJS.ProcessEnv = {}) =>
  await failure(async () => prepared(target, await source(options), place(variables)));
const nothingWritten = () =>
  expect(
    hub.calls.filter(({ step }) => !["whoami", "info", "validate", "refs", "tree", "token", "resolve"].includes(step)),
  ).toEqual([]);

describe("before the first byte", () => {
  test("code, pickles, empty files and secrets are found together, each with its place", async () => {
    const secret = `hf_${"x1Y2".repeat(9)}`;
    const error = await refusal({
      files: {
        "modeling.py": "pass",
        "pytorch_model.bin": "x",
        "sneaky.dat": Buffer.from([0x80, 0x04, 0x95, 1]),
        "empty.txt": Buffer.alloc(0),
        "notes.txt": `one\nkey ${secret}\n`,
      },
    });
    expect(error.code).toBe("RELEASE_REFUSED");
    expect(error.problems.map(({ file, line, message }) => `${file}:${line ?? ""} ${message}`)).toEqual([
      "empty.txt: is empty, and some clients cannot fetch empty files",
      "modeling.py: is code, which a model does not need",
      "notes.txt:2 has a Hugging Face token in it",
      "pytorch_model.bin: can run code when it is loaded",
      "sneaky.dat: is a pickle, which can run code when it is loaded",
    ]);
    expect(JSON.stringify([error.message, error.problems])).not.toContain(secret);
    expect(hub.calls).toEqual([]);
  });

  test("a card that the schema or the hub does not take is refused", async () => {
    const local = await refusal({ files: { "README.md": CARD.replace("text-ranking", "text-classification") } });
    expect(local.problems).toMatchObject([{ file: "README.md", path: "pipeline_tag" }]);
    const remote = await refusal({
      files: { "README.md": CARD.replace("license:", "co2_eq_emissions: null\nlicense:") },
    });
    expect(remote).toMatchObject({
      code: "RELEASE_REFUSED",
      problems: [{ message: '"co2_eq_emissions" must not be null' }],
    });
    expect(await refusal({ files: { "README.md": undefined } })).toMatchObject({ code: "RELEASE_REFUSED" });
    const twinCard = CARD.replace("license: apache-2.0\n", "");
    expect((await refusal({ twinCard })).problems).toMatchObject([
      { file: "int8, tiny-int8: README.md", path: "license" },
    ]);
    const remoteTwin = await refusal({ twinCard: CARD.replace("license:", "co2_eq_emissions: null\nlicense:") });
    expect(remoteTwin.code).toBe("RELEASE_REFUSED");
    nothingWritten();
  });

  test.each<[string, Account | undefined, string]>([
    ["no such token", undefined, "answered 401"],
    ["a token that may read", { name: "acme", role: "read" }, "may only read"],
    ["somebody else", { name: "bob", role: "write", orgs: [] }, "no member of acme"],
    [
      "a reader of the organization",
      { name: "bob", role: "write", orgs: [{ name: "acme", roleInOrg: "read" }] },
      "may only read in acme",
    ],
    [
      "a fine-grained token for another repository",
      {
        name: "acme",
        role: "fineGrained",
        scoped: [{ entity: { type: "model", name: "acme/other" }, permissions: ["repo.write"] }],
      },
      "lacks write access to all repositories of acme",
    ],
  ])("%s is told so", async (_, account, words) => {
    hub.accounts.clear();
    if (account !== undefined) hub.accounts.set(TOKEN, account);
    const error = await refusal({});
    expect(error.code).toBe("HUB_UNAUTHORIZED");
    expect(error.message).toContain(words);
    nothingWritten();
  });

  test("without a token, or with something that is none, nothing is asked", async () => {
    expect(await refusal({}, undefined, { HF_TOKEN: "" })).toMatchObject({ code: "HUB_UNAUTHORIZED" });
    const error = await refusal({}, undefined, { HF_TOKEN: "secret-of-another-kind" });
    expect(error.message).toBe("The hub token does not start with hf_, so it is none.");
    expect(hub.calls).toEqual([]);
  });

  test("visibility is never changed by accident", async () => {
    hub.store.create(REPO, false);
    expect((await refusal({})).message).toBe(`${REPO} is public.`);
    expect((await refusal({})).hint).toContain(`hub:${REPO},public`);
    hub.store.create(REPO, true);
    expect((await refusal({}, `hub:${REPO},public`)).message).toContain("is private");
    nothingWritten();
  });

  test("a repository that holds another model is left alone unless ,overwrite is written", async () => {
    const repository = hub.store.create(REPO, true);
    const theirs = noise("theirs", 100);
    hub.store.objects.set(sha256(theirs), theirs);
    hub.store.commit(repository, "main", "theirs", new Map([["model.safetensors", largeEntry(sha256(theirs), 100)]]));
    expect((await refusal({})).message).toContain("rerank-tune did not release");
    const { plan } = await prepared(`hub:${REPO},overwrite`, await source(), place());
    expect(plan.steps[0]?.does).toContain("int8");
  });

  test("a tag that stands for other files is refused", async () => {
    const repository = hub.store.create(REPO, true);
    repository.tags.set("v1", repository.branches.get("main") ?? "");
    expect((await refusal({}, `hub:${REPO}@v1`)).message).toContain("stands for other files");
  });

  test("a full quota stops everything before the first byte", async () => {
    hub.instead = ({ step, body }) => {
      if (step !== "batch") return undefined;
      const { objects } = JSON.parse(body.toString()) as { objects: { oid: string; size: number }[] };
      const error = { code: 403, message: "Private repository storage limit reached" };
      return { status: 200, body: { objects: objects.map((object) => ({ ...object, error })) } };
    };
    const ready = await prepared(`hub:${REPO}`, await source(), place());
    const error = await failure(() => ready.carryOut());
    expect(error.code).toBe("HUB_UNAUTHORIZED");
    expect(error.message).toContain("storage limit reached");
    expect(hub.arrived).toEqual([]);
  });
});

describe("bytes that change on the way (R10)", () => {
  const targets = ["model.safetensors", "onnx/model.onnx", "onnx/model_quantized.onnx", "config.json", "README.md"];
  const changes: [string, (bytes: Buffer) => Buffer][] = [
    ["one byte of it", (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte)))],
    ["its last byte", (bytes) => Buffer.from(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)))],
    ["its length, shorter", (bytes) => bytes.subarray(0, bytes.length - 1)],
    ["its length, longer", (bytes) => Buffer.concat([bytes, Buffer.from("x")])],
  ];
  const all = targets.flatMap((path, row) =>
    changes.map(([words, change], column) => ({ path, words, change, share: column === row % changes.length })),
  );
  // One change of each file in the short share; all 20 with those of R9 (bench/hub_faults.mjs).
  const cases = all.filter(({ share }) => process.env.RERANK_TUNE_ALL_FAULTS === "1" || share);
  let refused = 0;
  afterAll(async () => {
    const file = process.env.RERANK_TUNE_COUNTS;
    if (file !== undefined) await appendFile(file, `${JSON.stringify({ "R10: changed bytes refused": refused })}\n`);
  });

  test.each(cases)("$path, $words: refused, and no branch ever has it", async ({ path, change }) => {
    hub.partBytes = 20_000;
    const from = await source();
    const ready = await prepared(`hub:${REPO}`, from, place());
    const file = from.version.files.find((known) => known.path === path);
    hub.fault = ({ step }) => (step === "preupload" ? spoil() : undefined);
    let spoiled = false;
    const spoil = (): undefined => {
      if (spoiled || file === undefined) return;
      spoiled = true;
      // Synchronous, so that it has happened before the answer leaves.
      chmodSync(file.blob, 0o644);
      writeFileSync(file.blob, change(readFileSync(file.blob)));
    };
    const error = await failure(() => ready.carryOut());
    expect(error.code).toBe("REGISTRY_CORRUPT");
    expect(error.message).toContain(path);
    expect([...hub.store.objects].filter(([oid, bytes]) => sha256(bytes) !== oid)).toEqual([]);
    expect(hub.store.history(REPO, "main").length).toBe(1);
    expect(hub.store.repositories.get(REPO)?.tags.has(`v-${from.version.digest.slice(7, 19)}`)).toBe(false);
    refused += 1;
  });
});

describe("after the commit", () => {
  test("a file that cannot be read back keeps the release without its tag", async () => {
    const from = await source({ twin: false });
    const gone = from.version.files.find(({ path }) => path === "onnx/model.onnx")?.sha256 ?? "";
    hub.instead = ({ step, url }) =>
      step === "resolve" && url.pathname.includes(gone) ? { status: 404, body: "no such object" } : undefined;
    const ready = await prepared(`hub:${REPO}`, from, place());
    const error = await failure(() => ready.carryOut());
    expect(error).toMatchObject({ code: "CHECKSUM_MISMATCH", problems: [{ file: "onnx/model.onnx" }] });
    expect(hub.store.repositories.get(REPO)?.tags.size).toBe(0);
  });

  test("somebody else's commit in the middle is neither overwritten nor taken for ours", async () => {
    const ready = await prepared(`hub:${REPO}`, await source({ twin: false }), place());
    hub.fault = ({ step }) => {
      const repository = hub.store.repositories.get(REPO);
      if (step !== "put" || repository === undefined || hub.store.history(REPO, "main").length > 1) return undefined;
      hub.store.commit(repository, "main", "theirs", new Map([["a.txt", regularEntry(Buffer.from("a"))]]));
      return undefined;
    };
    expect((await failure(() => ready.carryOut())).code).toBe("RELEASE_CONFLICT");
    expect(hub.store.history(REPO, "main").map(({ summary }) => summary)).toEqual(["theirs", "initial commit"]);
  });
});

describe("a token of the job instead of a stored one", () => {
  const identity = `eyJhbGciOiJub25lIn0.${Buffer.from('{"sub":"repo:acme/tiny"}').toString("base64url")}.c2lnbmF0dXJl`;

  test("is exchanged for one repository, which must be there", async () => {
    hub.publishers.set(identity, REPO);
    const variables = { HF_OIDC_RESOURCE: REPO, HF_OIDC_ID_TOKEN: identity, HF_TOKEN: "" };
    const from = await source();
    const missing = await failure(() => prepared(`hub:${REPO}`, from, place(variables)));
    expect(missing.message).toContain("a trusted publisher cannot make it");
    hub.store.create(REPO, true);
    const ready = await prepared(`hub:${REPO}`, from, place(variables));
    expect(ready.plan.notes[0]).toBe(`as trusted publisher of ${REPO}, with a token of this job`);
    await ready.carryOut();
    expect(hub.store.repositories.get(REPO)?.tags.size).toBe(2);
    expect(hub.calls.filter(({ headers }) => headers.authorization?.includes(TOKEN))).toEqual([]);
  });

  test("is minted by GitHub Actions where the job may", async () => {
    hub.publishers.set(identity, REPO);
    hub.store.create(REPO, true);
    const asked: string[] = [];
    hub.instead = ({ url, headers }) => {
      if (url.pathname !== "/mint") return undefined;
      asked.push(`${url.searchParams.get("audience")} ${headers.authorization}`);
      return { status: 200, body: { value: identity } };
    };
    const variables = {
      HF_OIDC_RESOURCE: REPO,
      ACTIONS_ID_TOKEN_REQUEST_URL: `${hub.url}/mint?api=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "of-the-runner",
    };
    await (await prepared(`hub:${REPO}`, await source(), place(variables))).carryOut();
    expect(asked).toEqual([`${hub.url} Bearer of-the-runner`]);
  });

  test("that is refused never falls back to HF_TOKEN", async () => {
    const variables = { HF_OIDC_RESOURCE: REPO, HF_OIDC_ID_TOKEN: identity };
    const error = await refusal({}, undefined, variables);
    expect(error.code).toBe("HUB_UNAUTHORIZED");
    expect(error.message).toContain("no trusted publisher matches");
    expect(`${error.message} ${error.hint}`).not.toContain(identity);
    nothingWritten();
  });
});

test("neither token nor signed address is in any error or event, whatever the server repeats", async () => {
  const echoes = [401, 403, 404, 409, 412, 413, 422, 500];
  const from = await source();
  for (const status of echoes) {
    const events: unknown[] = [];
    hub.instead = ({ step, headers, url }) =>
      ["commit", "put"].includes(step)
        ? { status, body: { error: `got ${headers.authorization} at ${hub.url}${url.pathname}${url.search}` } }
        : undefined;
    const context = contextOf(from, { url: hub.url, token: TOKEN });
    context.emit = (event) => void events.push(event);
    const ready = await hubDestination(QUICK).prepare(`hub:${REPO}`, from.version, context);
    const error = await failure(() => ready.carryOut());
    const seen = [
      error.message,
      error.hint,
      error.stack,
      JSON.stringify(error.problems),
      JSON.stringify(error.data),
      String(error.cause),
      JSON.stringify(ready.plan),
      JSON.stringify(events),
    ].join("\n");
    expect(seen).not.toContain(TOKEN);
    expect(seen).not.toContain("X-Amz-Signature");
  }
});
