import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseChallenge } from "../../../../src/destinations/oci/authentication.js";
import { credentialsFor } from "../../../../src/destinations/oci/credentials.js";
import { folderPerTest } from "../../../helpers/folder-per-test.js";

const folder = folderPerTest();
const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** Credentials for a host out of docker's config.json with this content. */
async function found(config: unknown, host = "ghcr.io", more: NodeJS.ProcessEnv = {}) {
  await writeFile(join(folder(), "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return await credentialsFor(host, { HOME: folder(), DOCKER_CONFIG: folder(), PATH: process.env.PATH, ...more });
}

/** A credential helper that knows one host. */
async function helper(name: string, host: string, reply: object): Promise<NodeJS.ProcessEnv> {
  const bin = join(folder(), "bin");
  await mkdir(bin);
  const file = join(bin, `docker-credential-${name}`);
  await writeFile(
    file,
    `#!/bin/sh\nread -r host\n[ "$1" = get ] && [ "$host" = "${host}" ] || exit 1\necho '${JSON.stringify(reply)}'\n`,
  );
  await chmod(file, 0o755);
  return { PATH: `${bin}${delimiter}${process.env.PATH}` };
}

describe("credentials", () => {
  test("are the environment's first", async () => {
    const more = { RERANK_TUNE_OCI_USERNAME: "robot", RERANK_TUNE_OCI_PASSWORD: "word" };
    const config = { auths: { "ghcr.io": { auth: base64("me:other") } } };
    expect(await found(config, "ghcr.io", more)).toEqual({ kind: "basic", username: "robot", password: "word" });
  });

  test.each([
    [
      "a host",
      { "ghcr.io": { auth: base64("me:pass:word") } },
      { kind: "basic", username: "me", password: "pass:word" },
    ],
    [
      "a host with its scheme",
      { "https://ghcr.io": { auth: base64("me:p") } },
      { kind: "basic", username: "me", password: "p" },
    ],
    [
      "an identity token",
      { "ghcr.io": { auth: base64("me:"), identitytoken: "id" } },
      { kind: "identity", token: "id" },
    ],
    ["a registry token", { "ghcr.io": { registrytoken: "rt" } }, { kind: "bearer", token: "rt" }],
    ["an empty entry", { "ghcr.io": {} }, undefined],
    ["a pair without a colon", { "ghcr.io": { auth: base64("me") } }, undefined],
    ["another host", { "ghcr.io.example": { auth: base64("me:p") } }, undefined],
    ["the same host at another port", { "ghcr.io:5000": { auth: base64("me:p") } }, undefined],
  ])("of an entry with %s are read as docker reads them", async (_title, auths, expected) => {
    expect(await found({ auths })).toEqual(expected);
  });

  test("of Docker Hub lie under its old name", async () => {
    const config = { auths: { "https://index.docker.io/v1/": { auth: base64("me:p") } } };
    expect(await found(config, "docker.io")).toMatchObject({ username: "me" });
  });

  test("come from the credential helper of the host, before other entries", async () => {
    const variables = await helper("vault", "ghcr.io", { Username: "me", Secret: "word" });
    const config = { credHelpers: { "ghcr.io": "vault" }, auths: { "ghcr.io": { auth: base64("me:old") } } };
    expect(await found(config, "ghcr.io", variables)).toEqual({ kind: "basic", username: "me", password: "word" });
  });

  test("come from the store of all hosts, which may give a token", async () => {
    const variables = await helper("desktop", "https://ghcr.io", { Username: "<token>", Secret: "id" });
    expect(await found({ credsStore: "desktop", auths: { "ghcr.io": {} } }, "ghcr.io", variables)).toEqual({
      kind: "identity",
      token: "id",
    });
  });

  test("are none where the helper is missing, or its name is a path", async () => {
    expect(await found({ credHelpers: { "ghcr.io": "not-there" } })).toBeUndefined();
    expect(await found({ credHelpers: { "ghcr.io": "../../bin/sh" } })).toBeUndefined();
  });

  test("are none where nothing is kept, or the file is no JSON", async () => {
    expect(await found("{")).toBeUndefined();
    expect(await found([])).toBeUndefined();
  });

  test("are also those of skopeo and podman", async () => {
    const file = join(folder(), "auth.json");
    await writeFile(file, JSON.stringify({ auths: { "ghcr.io": { auth: base64("pod:p") } } }));
    expect(await found({}, "ghcr.io", { REGISTRY_AUTH_FILE: file })).toMatchObject({ username: "pod" });
  });
});

describe("a challenge", () => {
  test.each([
    [
      'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push"',
      { scheme: "bearer", realm: "https://auth.example/token", service: "registry", scope: "repository:a/b:pull,push" },
    ],
    ['bearer realm="https://a.example/t\\"x"', { scheme: "bearer", realm: 'https://a.example/t"x' }],
    [
      "Bearer realm=https://a.example/token, service=r",
      { scheme: "bearer", realm: "https://a.example/token", service: "r" },
    ],
    ['Basic realm="Registry Realm"', { scheme: "basic", realm: "Registry Realm" }],
    ['Negotiate, Basic realm="x"', { scheme: "basic", realm: "x" }],
  ])("%s is read", (header, expected) => {
    expect(parseChallenge(header)).toEqual(expected);
  });

  test.each([null, "", "Negotiate", 'Digest realm="x"'])("%s cannot be answered", (header) => {
    expect(parseChallenge(header)).toBeUndefined();
  });
});
