// What this machine remembers of OCI registries: where an unfinished upload goes on, and which repository has a blob. Losing it costs time only.
import { randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashText } from "../../artifacts/hash.js";
import { isObject, jsonOf } from "../../artifacts/json-value.js";
import { homeFolder } from "../../environment/home.js";

/** The address of an upload may work like a key for it, so that others on this machine may not read it. */
const PRIVATE = 0o600;

export class UploadMemory {
  private readonly folder: string;

  /** @param origin of the registry. */
  constructor(
    variables: NodeJS.ProcessEnv,
    private readonly origin: string,
  ) {
    this.folder = join(homeFolder(variables), "oci");
  }

  /** Where the upload of a blob into a repository was left. */
  async session(repository: string, digest: string): Promise<string | undefined> {
    const { location } = await this.read(this.sessionFile(repository, digest));
    return typeof location === "string" && URL.canParse(location) ? location : undefined;
  }

  async keepSession(repository: string, digest: string, location: string): Promise<void> {
    await this.write(this.sessionFile(repository, digest), { location });
  }

  async dropSession(repository: string, digest: string): Promise<void> {
    await rm(this.sessionFile(repository, digest), { force: true });
  }

  /** A repository of this registry that got the blob from here. */
  async repositoryWith(digest: string): Promise<string | undefined> {
    const repository = (await this.read(this.placesFile()))[digest];
    return typeof repository === "string" ? repository : undefined;
  }

  async keepPlaces(repository: string, digests: readonly string[]): Promise<void> {
    const known = await this.read(this.placesFile());
    await this.write(this.placesFile(), {
      ...known,
      ...Object.fromEntries(digests.map((digest) => [digest, repository])),
    });
  }

  private sessionFile(repository: string, digest: string): string {
    return join(this.folder, `upload-${hashText(`${this.origin}\n${repository}\n${digest}`).slice(0, 40)}.json`);
  }

  private placesFile(): string {
    return join(this.folder, `places-${hashText(this.origin).slice(0, 40)}.json`);
  }

  private async read(file: string): Promise<Record<string, unknown>> {
    const value = jsonOf(await readFile(file, "utf8").catch(() => "")); // never written, or lost: both cost time only
    return isObject(value) ? value : {};
  }

  private async write(file: string, value: unknown): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const temporary = `${file}.${randomUUID()}`;
    await writeFile(temporary, JSON.stringify(value), { mode: PRIVATE });
    await rename(temporary, file);
  }
}
