// Who we are at an OCI registry: from the environment, or what `docker login` and `skopeo login` keep. Read only; never from the command line, never printed.
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { isObject, type JsonObject, jsonOf } from "../../artifacts/json-value.js";

export type Credentials =
  | { kind: "basic"; username: string; password: string }
  /** A refresh token, given for a bearer token at the registry's token server. */
  | { kind: "identity"; token: string }
  /** Sent as it is. */
  | { kind: "bearer"; token: string };

const HELPER_MS = 30_000;

/**
 * `RERANK_TUNE_OCI_USERNAME` with `RERANK_TUNE_OCI_PASSWORD`; else the first of `REGISTRY_AUTH_FILE`, `$DOCKER_CONFIG/config.json`
 * (~/.docker/config.json) and `$XDG_RUNTIME_DIR/containers/auth.json` that knows the host, by its credential helper or its own entry.
 * @param host with port, as in the reference.
 * @returns undefined where nothing is known: many registries let anyone read.
 */
export async function credentialsFor(host: string, variables: NodeJS.ProcessEnv): Promise<Credentials | undefined> {
  const { RERANK_TUNE_OCI_USERNAME: username, RERANK_TUNE_OCI_PASSWORD: password } = variables;
  if (username && password) return { kind: "basic", username, password };
  for (const file of configFiles(variables)) {
    const config = jsonOf(await readFile(file, "utf8").catch(() => "")); // no file: no credentials
    const found = isObject(config) ? await ofConfig(config, host, variables) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function configFiles({
  REGISTRY_AUTH_FILE: named,
  DOCKER_CONFIG: docker,
  XDG_RUNTIME_DIR: runtime,
  HOME: home,
}: NodeJS.ProcessEnv): string[] {
  const folder = docker || join(home || homedir(), ".docker");
  return [
    ...(named ? [named] : []),
    join(folder, "config.json"),
    ...(runtime ? [join(runtime, "containers", "auth.json")] : []),
  ];
}

async function ofConfig(
  config: JsonObject,
  host: string,
  variables: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const keys = keysOf(host);
  const { credHelpers: helpers, credsStore: store, auths } = config;
  const helper = isObject(helpers)
    ? keys.map((key) => helpers[key]).find((name) => typeof name === "string")
    : undefined;
  if (helper !== undefined) return await ofHelper(String(helper), keys, variables);
  const entry = isObject(auths) ? keys.map((key) => auths[key]).find(isObject) : undefined;
  return (
    (entry === undefined ? undefined : ofEntry(entry)) ??
    (typeof store === "string" ? await ofHelper(store, keys, variables) : undefined)
  );
}

/** docker login writes hosts with and without scheme; Docker Hub has a name of its own. */
function keysOf(host: string): string[] {
  const keys = [host, `https://${host}`, `https://${host}/`, `http://${host}`];
  return /^(index\.)?docker\.io$/.test(host) ? ["https://index.docker.io/v1/", "docker.io", ...keys] : keys;
}

function ofEntry({ auth, identitytoken: identity, registrytoken: bearer }: JsonObject): Credentials | undefined {
  if (typeof bearer === "string" && bearer !== "") return { kind: "bearer", token: bearer };
  if (typeof identity === "string" && identity !== "") return { kind: "identity", token: identity };
  const pair = typeof auth === "string" ? Buffer.from(auth, "base64").toString("utf8") : "";
  const colon = pair.indexOf(":");
  return colon < 1 ? undefined : { kind: "basic", username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

/** docker-credential-helpers: the host on standard input, `{Username, Secret}` on standard output; the name `<token>` means an identity token. */
async function ofHelper(
  name: string,
  keys: readonly string[],
  variables: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  if (!/^[\w.-]+$/.test(name)) return undefined;
  for (const key of keys) {
    const options = { input: key, timeout: HELPER_MS, reject: false, env: variables, extendEnv: false } as const;
    const { stdout, failed } = await execa(`docker-credential-${name}`, ["get"], options);
    const value = failed ? undefined : jsonOf(stdout);
    if (!isObject(value) || typeof value.Secret !== "string" || value.Secret === "") continue;
    return value.Username === "<token>"
      ? { kind: "identity", token: value.Secret }
      : { kind: "basic", username: String(value.Username), password: value.Secret };
  }
  return undefined;
}
