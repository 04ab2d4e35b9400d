// The Hub's own calls, as packaging of its clients shows them: who am I, repositories, files in, commits, references, files out.
import { randomUUID } from "node:crypto";
import { parseDocument } from "yaml";
import type { Account, Answer, Call, HubServer, Router, Step } from "./server.js";
import { ranged, signed } from "./storage-calls.js";
import { type Entry, largeEntry, regularEntry, type StoredRepository, sha256 } from "./store.js";

type Asked = Omit<Call, "step">;
interface Place {
  id: string;
  repository: StoredRepository;
  rest: string[];
}

export const routeHub: Router = (hub, call) => {
  const path = call.url.pathname;
  const fixed: Record<string, [Step, (hub: HubServer, call: Asked) => Answer]> = {
    "/api/whoami-v2": ["whoami", whoAmI],
    "/api/repos/create": ["create", createRepository],
    "/api/validate-yaml": ["validate", validateYaml],
    "/oauth/token": ["token", exchangeToken],
  };
  const known = fixed[path];
  if (known !== undefined) return { step: known[0], answer: () => known[1](hub, call) };
  const [, name = "", verb = "info", ...rest] = /^\/api\/models\/([^/]+\/[^/]+)(?:\/([^/]+))?(.*)$/.exec(path) ?? [];
  if (name !== "") return atModel(hub, call, name, verb, rest.join("").split("/").slice(1).map(decodeURIComponent));
  const lfs = /^\/([^/]+\/[^/]+)\.git\/info\/lfs\/objects\/(batch|verify)$/.exec(path);
  if (lfs !== null) {
    const step = lfs[2] === "batch" ? "batch" : "verify";
    const work = step === "batch" ? lfsBatch : lfsVerify;
    return { step, answer: () => inside(hub, call, lfs[1] ?? "", [], work, call.body.includes('"upload"')) };
  }
  const file = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(path);
  if (file !== null) {
    const parts = [file[2] ?? "", file[3] ?? ""].map(decodeURIComponent);
    return { step: "resolve", answer: () => inside(hub, call, file[1] ?? "", parts, resolveFile) };
  }
  return { step: "other", answer: () => ({ status: 404, body: { error: "Sorry, we can't find the page" } }) };
};

function atModel(hub: HubServer, call: Asked, id: string, verb: string, rest: string[]): ReturnType<Router> {
  type Work = (hub: HubServer, call: Asked, place: Place) => Answer;
  const works: Record<string, [Step, Work, boolean?]> = {
    info: ["info", modelInfo],
    revision: ["info", modelInfo],
    preupload: ["preupload", preupload, true],
    commit: ["commit", commit, true],
    tree: ["tree", tree],
    "paths-info": ["tree", pathsInfo],
    refs: ["refs", references],
    branch: ["branch", branch, true],
    tag: ["tag", tag, true],
  };
  const [step, work, writes] = works[verb] ?? ["other", () => ({ status: 404, body: { error: "Not found" } })];
  return { step, answer: () => inside(hub, call, id, rest, work, writes) };
}

function accountOf(hub: HubServer, { headers }: Asked): Account | undefined {
  const given = headers.authorization ?? "";
  // git-lfs asks with a name and a password.
  const basic = /^Basic (.+)$/.exec(given)?.[1];
  const token =
    basic === undefined ? given.replace(/^Bearer /, "") : Buffer.from(basic, "base64").toString().split(":")[1];
  return hub.accounts.get(token ?? "");
}

function mayWrite({ name, role, orgs = [], scoped = [] }: Account, id: string): boolean {
  const [namespace] = id.split("/");
  if (role === "read") return false;
  if (role === "fineGrained")
    return scoped.some(
      ({ entity, permissions }) => permissions.includes("repo.write") && [namespace, id].includes(entity.name),
    );
  return name === namespace || orgs.some((org) => org.name === namespace && org.roleInOrg !== "read");
}

/** A repository that the caller may not see answers as one that is not there. */
function inside(
  hub: HubServer,
  call: Asked,
  id: string,
  rest: string[],
  work: (hub: HubServer, call: Asked, place: Place) => Answer,
  writes = false,
): Answer {
  const repository = hub.store.repositories.get(id);
  const account = accountOf(hub, call);
  const visible = repository !== undefined && (!repository.private || (account !== undefined && reads(account, id)));
  if (!visible)
    return account === undefined
      ? {
          ...error(401, "Invalid username or password.", "RepoNotFound"),
          headers: { "X-Error-Code": "RepoNotFound", "WWW-Authenticate": "Basic" },
        }
      : error(404, "Repository not found", "RepoNotFound");
  if (writes && (account === undefined || !mayWrite(account, id)))
    return error(403, "You don't have the rights to write to this repository");
  return work(hub, call, { id, repository, rest });
}

const reads = ({ name, orgs = [], scoped = [] }: Account, id: string): boolean =>
  name === id.split("/")[0] ||
  orgs.some((org) => org.name === id.split("/")[0]) ||
  scoped.some(({ entity }) => entity.name === id);

export function error(status: number, message: string, code?: string): Answer {
  return { status, headers: code === undefined ? {} : { "X-Error-Code": code }, body: { error: message } };
}

function whoAmI(hub: HubServer, call: Asked): Answer {
  const account = accountOf(hub, call);
  if (account === undefined) return error(401, "Invalid credentials in Authorization header");
  const { name, role, orgs = [], scoped } = account;
  const accessToken = {
    displayName: "release",
    role,
    createdAt: "2026-01-01T00:00:00.000Z",
    ...(scoped === undefined ? {} : { fineGrained: { canReadGatedRepos: false, global: [], scoped } }),
  };
  const body = {
    type: "user",
    id: "1",
    name,
    fullname: name,
    isPro: false,
    orgs,
    auth: { type: "access_token", accessToken },
  };
  return { status: 200, body };
}

function createRepository(hub: HubServer, call: Asked): Answer {
  type Request = { name: string; organization?: string; visibility?: string; private?: boolean };
  const { name, organization, visibility, private: hidden } = JSON.parse(call.body.toString()) as Request;
  const account = accountOf(hub, call);
  if (account === undefined) return error(401, "Invalid username or password.");
  const id = `${organization ?? account.name}/${name}`;
  if (!mayWrite(account, id)) return error(403, `You don't have the rights to create a model under ${organization}`);
  const answer = { url: `${hub.url}/${id}`, name: id, id };
  if (hub.store.repositories.has(id))
    return {
      ...error(409, "You already created this model repo"),
      body: { error: "You already created this model repo", ...answer },
    };
  hub.store.create(id, visibility === "private" || hidden === true);
  return { status: 200, body: answer };
}

function validateYaml(_hub: HubServer, { body }: Asked): Answer {
  const { content } = JSON.parse(body.toString()) as { content: string };
  const errors = cardErrors(content).map((message) => ({ message }));
  const warnings = /\nlicense:/.test(content) ? [] : [{ message: "empty or missing yaml metadata in repo card" }];
  return { status: errors.length > 0 ? 400 : 200, body: { errors, warnings } };
}

/** A few of the rules that the Hub is known to have. */
function cardErrors(card: string): string[] {
  const yaml = /^---\n([\s\S]*?)\n---/.exec(card)?.[1];
  if (yaml === undefined) return [];
  const document = parseDocument(yaml);
  if (document.errors.length > 0) return ["YAML metadata is not valid"];
  const fields = (document.toJS() ?? {}) as Record<string, unknown>;
  return Object.entries(fields).flatMap(([name, value]) => (value === null ? [`"${name}" must not be null`] : []));
}

function exchangeToken(hub: HubServer, { body }: Asked): Answer {
  const { grant_type, subject_token, subject_token_type, resource } = JSON.parse(body.toString()) as Record<
    string,
    string
  >;
  const right =
    grant_type === "urn:ietf:params:oauth:grant-type:token-exchange" &&
    subject_token_type === "urn:ietf:params:oauth:token-type:id_token";
  if (!right) return { status: 400, body: { error: "unsupported_grant_type" } };
  if (hub.publishers.get(subject_token ?? "") !== resource)
    return { status: 403, body: { error: "access_denied", error_description: "no trusted publisher matches" } };
  const access_token = `hf_jwt_${sha256(`${subject_token}`).slice(0, 40)}`;
  hub.accounts.set(access_token, {
    name: "publisher",
    role: "fineGrained",
    scoped: [{ entity: { type: "model", name: resource ?? "" }, permissions: ["repo.write"] }],
  });
  return { status: 200, body: { access_token, token_type: "bearer", expires_in: 3600 } };
}

function modelInfo(hub: HubServer, _call: Asked, { id, repository, rest }: Place): Answer {
  const found = hub.store.at(repository, rest[0] ?? "main");
  if (found === undefined) return error(404, `Invalid rev id: ${rest[0]}`, "RevisionNotFound");
  const siblings = [...found.tree.keys()].map((rfilename) => ({ rfilename }));
  const body = {
    _id: "1",
    id,
    modelId: id,
    sha: found.oid,
    private: repository.private,
    gated: false,
    disabled: false,
    lastModified: "2026-01-01T00:00:00.000Z",
    createdAt: "2026-01-01T00:00:00.000Z",
    likes: 0,
    downloads: 0,
    tags: [],
    siblings,
  };
  return { status: 200, body };
}

function preupload(hub: HubServer, { body }: Asked, { repository, rest }: Place): Answer {
  if (hub.store.at(repository, rest[0] ?? "main") === undefined)
    return error(404, "Invalid rev id", "RevisionNotFound");
  const { files } = JSON.parse(body.toString()) as { files: { path: string; size: number; sample: string }[] };
  const modes = files.map(({ path, size, sample }) => {
    const large =
      size > hub.regularBytes ||
      /\.(safetensors|onnx|onnx_data|bin|model)$/.test(path) ||
      Buffer.from(sample, "base64").includes(0);
    return { path, uploadMode: large ? "lfs" : "regular", shouldIgnore: false, oid: null };
  });
  return { status: 200, body: { files: modes } };
}

const LFS_JSON = { "Content-Type": "application/vnd.git-lfs+json" };

function lfsBatch(hub: HubServer, { body }: Asked, { id }: Place): Answer {
  type Request = { operation: string; transfers?: string[]; objects: { oid: string; size: number }[] };
  const { operation, transfers = ["basic"], objects } = JSON.parse(body.toString()) as Request;
  const answered = objects.map(({ oid, size }) => {
    const stored = hub.store.objects.has(oid);
    if (operation === "download")
      return stored
        ? { oid, size, authenticated: true, actions: { download: { href: signed(hub, `/get/${oid}`) } } }
        : { oid, size, error: { code: 404, message: "Object does not exist" } };
    if (stored) return { oid, size };
    const verify = { href: `${hub.url}/${id}.git/info/lfs/objects/verify`, header: {} };
    const inParts = size > hub.partBytes && transfers.includes("multipart");
    const upload = inParts ? partLinks(hub, oid, size) : { href: signed(hub, `/put/${oid}`), header: {} };
    return { oid, size, authenticated: true, actions: { upload, verify } };
  });
  const transfer =
    answered.some((object) => "actions" in object && "upload" in (object.actions ?? {})) &&
    transfers.includes("multipart")
      ? "multipart"
      : "basic";
  return { status: 200, headers: LFS_JSON, body: { transfer, objects: answered } };
}

function partLinks(hub: HubServer, oid: string, size: number): { href: string; header: Record<string, string> } {
  const upload = randomUUID();
  hub.uploads.set(upload, { oid, size, parts: new Map() });
  const header: Record<string, string> = { chunk_size: String(hub.partBytes) };
  for (let part = 1; part <= Math.ceil(size / hub.partBytes); part += 1)
    header[String(part).padStart(5, "0")] = signed(hub, `/part/${upload}/${part}`);
  return { href: signed(hub, `/complete/${upload}`), header };
}

function lfsVerify(hub: HubServer, { body }: Asked): Answer {
  const { oid, size } = JSON.parse(body.toString()) as { oid: string; size: number };
  return hub.store.objects.get(oid)?.length === size ? { status: 200, body: {} } : error(404, "Object does not exist");
}

interface Operation {
  key: string;
  value: {
    path: string;
    content: string;
    encoding: string;
    oid: string;
    size: number;
    summary: string;
    parentCommit?: string;
  };
}

/** All of it or nothing. */
function commit(hub: HubServer, { body }: Asked, { id, repository, rest }: Place): Answer {
  const branchName = rest[0] ?? "main";
  const head = repository.branches.get(branchName);
  if (head === undefined) return error(404, `Invalid rev id: ${branchName}`, "RevisionNotFound");
  const lines = body
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Operation);
  const { parentCommit, summary = "" } = lines.find(({ key }) => key === "header")?.value ?? {};
  if (parentCommit !== undefined && parentCommit !== head)
    return error(412, "A commit has happened since. Please refresh and try again.");
  const files = new Map<string, Entry>(repository.commits.get(head)?.tree);
  for (const { key, value } of lines) {
    if (key === "deletedFile") files.delete(value.path);
    if (key === "file") {
      const content = Buffer.from(value.content, value.encoding === "base64" ? "base64" : "utf8");
      const problems = value.path === "README.md" ? cardErrors(content.toString()) : [];
      if (problems.length > 0) return error(400, problems.join("; "));
      files.set(value.path, regularEntry(content));
    }
    if (key === "lfsFile") {
      if (!hub.store.objects.has(value.oid)) return error(400, `LFS object ${value.oid} is not stored`);
      files.set(value.path, largeEntry(value.oid, value.size));
    }
  }
  const made = hub.store.commit(repository, branchName, summary, files);
  return {
    status: 200,
    body: { success: true, commitOid: made.oid, commitUrl: `${hub.url}/${id}/commit/${made.oid}`, hookOutput: "" },
  };
}

const treeEntry = (path: string, { size, oid, sha256: digest }: Entry): object => ({
  type: "file",
  oid,
  size,
  path,
  ...(digest === undefined ? {} : { lfs: { oid: digest, size, pointerSize: 130 } }),
});

function tree(hub: HubServer, { url }: Asked, { id, repository, rest }: Place): Answer {
  const [revision = "main", ...folder] = rest;
  const found = hub.store.at(repository, revision);
  if (found === undefined) return error(404, `Invalid rev id: ${revision}`, "RevisionNotFound");
  const prefix = folder.length === 0 ? "" : `${folder.join("/")}/`;
  const inside = [...found.tree]
    .filter(([path]) => path.startsWith(prefix))
    .sort(([one], [other]) => (one < other ? -1 : 1));
  if (prefix !== "" && inside.length === 0) return error(404, "Entry not found", "EntryNotFound");
  const entries = url.searchParams.get("recursive") === "true" ? allEntries(inside) : oneLevel(inside, prefix);
  const start = Number(url.searchParams.get("cursor") ?? 0);
  const end = start + hub.pageEntries;
  const next = new URL(`${hub.url}/api/models/${id}/tree/${revision}${url.search}`);
  next.searchParams.set("cursor", String(end));
  const headers: Record<string, string> = entries.length > end ? { Link: `<${next}>; rel="next"` } : {};
  return { status: 200, headers, body: entries.slice(start, end) };
}

function allEntries(files: [string, Entry][]): object[] {
  const folders = new Set(
    files.flatMap(([path]) => (path.includes("/") ? [path.slice(0, path.lastIndexOf("/"))] : [])),
  );
  return [
    ...[...folders].map((path) => ({ type: "directory", oid: "0".repeat(40), size: 0, path })),
    ...files.map(([path, entry]) => treeEntry(path, entry)),
  ];
}

function oneLevel(files: [string, Entry][], prefix: string): object[] {
  const here = files.filter(([path]) => !path.slice(prefix.length).includes("/"));
  const folders = new Set(
    files.filter((file) => !here.includes(file)).map(([path]) => `${prefix}${path.slice(prefix.length).split("/")[0]}`),
  );
  return [
    ...[...folders].map((path) => ({ type: "directory", oid: "0".repeat(40), size: 0, path })),
    ...here.map(([path, entry]) => treeEntry(path, entry)),
  ];
}

function pathsInfo(hub: HubServer, { body, headers }: Asked, { repository, rest }: Place): Answer {
  const form = headers["content-type"]?.includes("json") === true;
  const paths = form
    ? (JSON.parse(body.toString()) as { paths: string[] }).paths
    : new URLSearchParams(body.toString()).getAll("paths");
  const found = hub.store.at(repository, rest[0] ?? "main");
  if (found === undefined) return error(404, "Invalid rev id", "RevisionNotFound");
  return {
    status: 200,
    body: paths.flatMap((path) => (found.tree.has(path) ? [treeEntry(path, found.tree.get(path) as Entry)] : [])),
  };
}

function references(_hub: HubServer, _call: Asked, { repository }: Place): Answer {
  const list = (from: Map<string, string>, kind: string) =>
    [...from].map(([name, targetCommit]) => ({ name, ref: `refs/${kind}/${name}`, targetCommit }));
  return {
    status: 200,
    body: { branches: list(repository.branches, "heads"), converts: [], tags: list(repository.tags, "tags") },
  };
}

function branch(hub: HubServer, { body, method }: Asked, { repository, rest }: Place): Answer {
  const [name = ""] = rest;
  if (method === "DELETE")
    return repository.branches.delete(name) ? { status: 200, body: {} } : error(404, "no such branch");
  const { startingPoint = "main" } = (body.length > 0 ? JSON.parse(body.toString()) : {}) as { startingPoint?: string };
  if (repository.branches.has(name)) return error(409, `Reference already exists: refs/heads/${name}`);
  const start = hub.store.at(repository, startingPoint);
  if (start === undefined) return error(404, "Invalid rev id", "RevisionNotFound");
  repository.branches.set(name, start.oid);
  return { status: 200, body: {} };
}

function tag(hub: HubServer, { body }: Asked, { repository, rest }: Place): Answer {
  const { tag: name } = JSON.parse(body.toString()) as { tag: string };
  if (repository.tags.has(name)) return error(409, `Tag reference exists already: ${name}`);
  const found = hub.store.at(repository, rest[0] ?? "main");
  if (found === undefined) return error(404, "Invalid rev id", "RevisionNotFound");
  repository.tags.set(name, found.oid);
  return { status: 200, body: {} };
}

function resolveFile(hub: HubServer, { headers, method }: Asked, { repository, rest }: Place): Answer {
  const [revision = "main", path = ""] = rest;
  const found = hub.store.at(repository, revision);
  if (found === undefined) return error(404, "Invalid rev id", "RevisionNotFound");
  const entry = found.tree.get(path);
  const shared = { "X-Repo-Commit": found.oid };
  if (entry === undefined)
    return { ...error(404, "Entry not found"), headers: { ...shared, "X-Error-Code": "EntryNotFound" } };
  if (entry.sha256 === undefined) {
    const etag = { ETag: `"${entry.oid}"` };
    return ranged(entry.content ?? Buffer.alloc(0), method === "HEAD" ? undefined : headers.range, {
      ...shared,
      ...etag,
    });
  }
  const linked = {
    "X-Linked-ETag": `"${entry.sha256}"`,
    "X-Linked-Size": String(entry.size),
    "Accept-Ranges": "bytes",
  };
  const location = { Location: signed(hub, `/get/${entry.sha256}`) };
  return { status: 302, headers: { ...shared, ...linked, ...location }, body: "Found. Redirecting" };
}
