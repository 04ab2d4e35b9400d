// The real docker-registry of Debian on loopback, with its storage in a folder of the test; it can be killed and started again at the same place.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface DockerRegistry {
  /** `127.0.0.1:port`. */
  host: string;
  port: number;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Digests that a repository holds, by the files on its disk. */
  stored(repository: string): Promise<Set<string>>;
}

export interface DockerRegistryOptions {
  /** Of bcrypt; asks for basic credentials. */
  htpasswd?: string;
}

/** @throws Error with the way to install it where it is missing. */
export async function startDockerRegistry(
  folder: string,
  options: DockerRegistryOptions = {},
): Promise<DockerRegistry> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const config = join(folder, "config.yml");
  await writeFile(config, await configText(folder, port, options));
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn("docker-registry", ["serve", config], { stdio: ["ignore", "ignore", "ignore"] });
    const missing = once(child, "error").then(() =>
      Promise.reject(new Error("docker-registry is missing: run `apt-get install docker-registry skopeo`")),
    );
    await Promise.race([missing, answering(port)]);
    missing.catch(() => undefined); // it started: what ends it later is the test's own doing
  };
  const kill = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  };
  await start();
  return { host: `127.0.0.1:${port}`, port, kill, start, stored: (repository) => storedIn(folder, repository) };
}

async function configText(folder: string, port: number, { htpasswd }: DockerRegistryOptions): Promise<string> {
  const lines = [
    "version: 0.1",
    "log: {level: error}",
    `storage: {filesystem: {rootdirectory: ${JSON.stringify(join(folder, "storage"))}}}`,
    // A fixed secret: addresses of uploads stay valid when it is started again.
    `http: {addr: "127.0.0.1:${port}", secret: fixed}`,
  ];
  if (htpasswd !== undefined) {
    const file = join(folder, "htpasswd");
    await writeFile(file, htpasswd);
    lines.push(`auth: {htpasswd: {realm: test, path: ${JSON.stringify(file)}}}`);
  }
  return `${lines.join("\n")}\n`;
}

async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const reply = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
    if (reply !== undefined) return;
    await sleep(25);
  }
  throw new Error("docker-registry did not start within 10 s");
}

async function storedIn(folder: string, repository: string): Promise<Set<string>> {
  const root = join(folder, "storage", "docker", "registry", "v2");
  const names = await readdir(join(root, "repositories", repository, "_layers", "sha256")).catch(() => []);
  const found = new Set<string>();
  for (const hex of names) {
    const link = await stat(join(root, "repositories", repository, "_layers", "sha256", hex, "link")).catch(
      () => undefined,
    );
    const data = await stat(join(root, "blobs", "sha256", hex.slice(0, 2), hex, "data")).catch(() => undefined);
    if (link !== undefined && data !== undefined) found.add(`sha256:${hex}`);
  }
  return found;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
