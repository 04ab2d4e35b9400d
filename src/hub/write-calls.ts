// The calls of the Hub that a release needs and @huggingface/hub 2.17.5 lacks or does its own way; packaging of each in one function.
import { createBranch, createRepo, HubApiError, listFiles } from "@huggingface/hub";
import { jsonOf } from "../artifacts/json-value.js";
import { resolveAddress } from "./file-request.js";
import { apiError, type HubWriter, patientFetch, type TryOptions } from "./patient-fetch.js";

export interface RepositoryState {
  /** Commit of `main`; absent in a repository without any. */
  sha?: string;
  private: boolean;
  gated?: unknown;
  disabled?: boolean;
}

export interface TreeFile {
  path: string;
  size: number;
  /** Git's sha1 of the file, or of its pointer in large-file storage. */
  oid: string;
  /** sha256 of the file, where it lies in large-file storage. */
  sha256?: string;
}

export interface References {
  branches: ReadonlyMap<string, string>;
  tags: ReadonlySet<string>;
}

export type UploadMode = "lfs" | "regular";

/** @returns undefined when there is none, or none that the token may see. */
export async function repositoryState(hub: HubWriter, repo: string): Promise<RepositoryState | undefined> {
  return await orMissing(async () => await json<RepositoryState>(hub, "GET", `/api/models/${repo}`));
}

/** Creates the repository. */
export async function createRepository(hub: HubWriter, repo: string, visibility: "private" | "public"): Promise<void> {
  await createRepo({ repo, visibility, ...library(hub) });
}

/** Every file of a revision, through the library's own paging. */
export async function treeOf(hub: HubWriter, repo: string, revision: string): Promise<Map<string, TreeFile>> {
  const found = new Map<string, TreeFile>();
  for await (const entry of listFiles({ repo, revision, recursive: true, ...library(hub) })) {
    if (entry.type !== "file") continue;
    const { path, oid = "", lfs } = entry;
    found.set(path, { path, oid, size: lfs?.size ?? entry.size, ...(lfs === undefined ? {} : { sha256: lfs.oid }) });
  }
  return found;
}

export async function referencesOf(hub: HubWriter, repo: string): Promise<References> {
  type Listed = { name: string; targetCommit: string };
  const { branches = [], tags = [] } = await json<{ branches?: Listed[]; tags?: Listed[] }>(
    hub,
    "GET",
    `/api/models/${repo}/refs`,
  );
  return {
    branches: new Map(branches.map(({ name, targetCommit }) => [name, targetCommit])),
    tags: new Set(tags.map(({ name }) => name)),
  };
}

/** The commit that a branch or tag stands for. */
export async function commitOf(hub: HubWriter, repo: string, revision: string): Promise<string> {
  const path = `/api/models/${repo}/revision/${encodeURIComponent(revision)}`;
  return (await json<{ sha: string }>(hub, "GET", path)).sha;
}

/** How the Hub wants each file: in large-file storage, or inside the commit. Asked for 100 files at a time. */
export async function uploadModes(
  hub: HubWriter,
  repo: string,
  files: readonly { path: string; size: number; sample: string }[],
): Promise<Map<string, UploadMode>> {
  type Answer = { files: { path: string; uploadMode: UploadMode; shouldIgnore?: boolean }[] };
  const modes = new Map<string, UploadMode>();
  for (const some of hundreds(files)) {
    const answer = await json<Answer>(hub, "POST", `/api/models/${repo}/preupload/main`, { files: some });
    // A file that the repository's .gitignore names is sent all the same: the version is what was tested.
    for (const { path, uploadMode } of answer.files) modes.set(path, uploadMode);
  }
  return modes;
}

export async function createBranchAt(hub: HubWriter, repo: string, branch: string, commit: string): Promise<void> {
  await createBranch({ repo, branch, revision: commit, ...library(hub) });
}

export interface Commit {
  branch: string;
  summary: string;
  description: string;
  /** The commit must follow this one, or the Hub answers 412. */
  parent: string;
  /** NDJSON lines after the header. */
  operations: readonly object[];
}

/** Sends one commit, once: whether it was made when no reply came, only the tree can say. */
export async function sendCommit(hub: HubWriter, repo: string, commit: Commit): Promise<string> {
  const { branch, summary, description, parent, operations } = commit;
  const header = { key: "header", value: { summary, description, parentCommit: parent } };
  const body = [header, ...operations].map((line) => JSON.stringify(line)).join("\n");
  const path = `/api/models/${repo}/commit/${encodeURIComponent(branch)}`;
  const type = "application/x-ndjson";
  const answer = await json<{ commitOid: string }>(hub, "POST", path, body, { type, once: true, slowness: 2 });
  return answer.commitOid;
}

export async function createTag(hub: HubWriter, repo: string, tag: string, commit: string): Promise<void> {
  await json(hub, "POST", `/api/models/${repo}/tag/${commit}`, { tag });
}

export interface CardVerdict {
  errors: string[];
  warnings: string[];
}

/** The Hub's own check of a card's front matter, which it would otherwise make at the commit. */
export async function validateCard(hub: HubWriter, card: string): Promise<CardVerdict> {
  type Said = { errors?: { message: string }[]; warnings?: { message: string }[] };
  const address = `${hub.hubUrl}/api/validate-yaml`;
  const body = JSON.stringify({ repoType: "model", content: card });
  const reply = await patientFetch(hub)(address, { method: "POST", body, headers: JSON_TYPE });
  const text = await reply.text();
  const said = jsonOf(text) as Said | undefined;
  // A card with errors comes back as 400 with a list of them; any other 400 is a refusal of the call.
  if (!reply.ok && !(reply.status === 400 && Array.isArray(said?.errors))) throw apiError(hub, reply, text);
  const messages = (list: { message: string }[] = []) => list.map(({ message }) => message);
  return { errors: messages(said?.errors), warnings: messages(said?.warnings) };
}

/** A small file as text. @returns undefined where there is none. */
export async function fileText(hub: HubWriter, repo: string, revision: string, path: string) {
  return await orMissing(async () => {
    const reply = await patientFetch(hub)(resolveAddress(hub, repo, revision, path), {
      headers: { "Accept-Encoding": "identity" },
    });
    const text = await reply.text();
    if (!reply.ok) throw apiError(hub, reply, text);
    return text;
  });
}

const JSON_TYPE = { "Content-Type": "application/json" };

/** One call of our own that answers JSON. */
export async function json<Answer>(
  hub: HubWriter,
  method: "GET" | "POST",
  path: string,
  body?: object | string,
  options: TryOptions & { type?: string; accept?: string } = {},
): Promise<Answer> {
  const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  const headers = new Headers({ Accept: options.accept ?? "application/json" });
  if (body !== undefined) headers.set("Content-Type", options.type ?? "application/json");
  const reply = await patientFetch(hub, options)(`${hub.hubUrl}${path}`, { method, headers, ...sent });
  const text = await reply.text();
  if (!reply.ok) throw apiError(hub, reply, text);
  return (text === "" ? {} : JSON.parse(text)) as Answer;
}

/** What the library's calls share. */
export function library(hub: HubWriter) {
  return { hubUrl: hub.hubUrl, accessToken: hub.token, fetch: patientFetch(hub) };
}

export function hundreds<Entry>(entries: readonly Entry[]): Entry[][] {
  const count = Math.ceil(entries.length / 100);
  return Array.from({ length: count }, (_, at) => entries.slice(100 * at, 100 * (at + 1)));
}

/** Without rights to see it, the Hub answers for a repository that is there as for one that is not. */
async function orMissing<Result>(work: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HubApiError && error.statusCode === 404) return undefined;
    throw error;
  }
}
