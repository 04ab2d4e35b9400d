// What is installed beside this tool: the packages of the pinned Python environment and of npm, read from their own descriptions.
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isObject, type JsonObject, jsonOf } from "../artifacts/json-value.js";
import { lockDigest, lockedRequirements } from "./lock-file.js";
import { PACKAGE_ROOT } from "./package-root.js";
import { findReadyEnvironment } from "./python-environment.js";

export interface InstalledPackage {
  ecosystem: "npm" | "pypi";
  name: string;
  version: string;
  license?: string;
  /** Subresource integrity, where npm recorded it. */
  integrity?: string;
  /** `name@version` of packages it asks for and that are here. */
  needs: string[];
}

export interface InstalledPackages {
  packages: InstalledPackage[];
  /** Facts about the whole; no paths. */
  properties: Record<string, string>;
}

/** @param home cache folder of the tool. Without an environment on this machine: what the lock file asks for. */
export async function pythonPackages(home: string): Promise<InstalledPackages> {
  const properties = { "lock.sha256": lockDigest() };
  const environment = await findReadyEnvironment(home);
  if (environment === undefined) {
    const packages = lockedRequirements().flatMap((line) => lockedPackage(line) ?? []);
    return { packages, properties: { ...properties, installed: "no" } };
  }
  const site = await sitePackages(environment.folder);
  const packages: InstalledPackage[] = [];
  for (const name of await readdir(site))
    if (name.endsWith(".dist-info")) packages.push(distribution(await readFile(join(site, name, "METADATA"), "utf8")));
  const known = new Map(packages.map(({ name, version }) => [normal(name), `${name}@${version}`]));
  for (const entry of packages) entry.needs = entry.needs.flatMap((name) => known.get(normal(name)) ?? []);
  return { packages, properties: { ...properties, installed: "yes", python: environment.stamp.python } };
}

/** The packages this process runs with: our dependencies and what they need, not those for development. */
export function npmPackages(): Promise<InstalledPackages> {
  // Read once: what runs does not change while it runs.
  running ??= readRunning();
  return running;
}

let running: Promise<InstalledPackages> | undefined;

async function readRunning(): Promise<InstalledPackages> {
  const packages = new Map<string, InstalledPackage>();
  await addNeeds(PACKAGE_ROOT, packages);
  return { packages: [...packages.values()], properties: { node: process.versions.node } };
}

/** Adds what a package needs, and what that needs. @returns `name@version` of its own needs. */
async function addNeeds(folder: string, packages: Map<string, InstalledPackage>): Promise<string[]> {
  const needs: string[] = [];
  for (const name of wanted(await readPackage(folder))) {
    const found = await findPackage(folder, name);
    const about = found === undefined ? undefined : await readPackage(found);
    if (found === undefined || about === undefined) continue; // optional ones may not be there
    needs.push(`${String(about.name)}@${String(about.version)}`);
    if (packages.has(found)) continue;
    const entry = await npmPackage(found, about);
    packages.set(found, entry);
    entry.needs = await addNeeds(found, packages);
  }
  return needs;
}

function lockedPackage(line: string): InstalledPackage | undefined {
  const [, name, version] = /^([\w.-]+)==([^\s;]+)/.exec(line) ?? [];
  return name === undefined || version === undefined ? undefined : { ecosystem: "pypi", name, version, needs: [] };
}

async function sitePackages(environment: string): Promise<string> {
  if (process.platform === "win32") return join(environment, "Lib", "site-packages");
  const [python = "python3"] = (await readdir(join(environment, "lib"))).filter((name) => name.startsWith("python3"));
  return join(environment, "lib", python, "site-packages");
}

/** https://packaging.python.org/specifications/name-normalization */
const normal = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");

/** Core metadata: headers up to the first empty line. */
function distribution(text: string): InstalledPackage {
  const head = text.split(/\r?\n\r?\n/, 1)[0] ?? "";
  const values = (field: string): string[] =>
    [...head.matchAll(new RegExp(`^${field}: *(.*)$`, "gm"))].map(([, value = ""]) => value.trim());
  const license = values("License-Expression")[0] ?? values("License")[0];
  return {
    ecosystem: "pypi",
    name: values("Name")[0] ?? "",
    version: values("Version")[0] ?? "",
    ...(license === undefined ? {} : { license }),
    // Extras are other people's choice; a marker that does not hold leaves a name that is not installed.
    needs: values("Requires-Dist")
      .filter((line) => !/;.*\bextra\s*==/.test(line))
      .flatMap((line) => /^[\w.-]+/.exec(line)?.[0] ?? []),
  };
}

function wanted(about: JsonObject | undefined): string[] {
  const fields = ["dependencies", "optionalDependencies", "peerDependencies"];
  return fields.flatMap((field) => Object.keys(isObject(about?.[field]) ? about[field] : {}));
}

/** Where Node would look, from the folder upwards. */
async function findPackage(from: string, name: string): Promise<string | undefined> {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if ((await readPackage(candidate)) !== undefined) return candidate;
    if (dirname(folder) === folder) return undefined;
  }
}

async function readPackage(folder: string): Promise<JsonObject | undefined> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => undefined);
  const value = text === undefined ? undefined : jsonOf(text);
  return isObject(value) ? value : undefined;
}

async function npmPackage(folder: string, about: JsonObject): Promise<InstalledPackage> {
  const integrity = await recordedIntegrity(folder);
  return {
    ecosystem: "npm",
    name: String(about.name),
    version: String(about.version),
    ...(typeof about.license === "string" ? { license: about.license } : {}),
    ...(integrity === undefined ? {} : { integrity }),
    needs: [],
  };
}

/** npm notes what it unpacked in the topmost node_modules; other installers do not. */
async function recordedIntegrity(folder: string): Promise<string | undefined> {
  const top = folder.indexOf("node_modules");
  const parent = folder.slice(0, top);
  const lock = await installedLock(join(parent, "node_modules", ".package-lock.json"));
  return lock[folder.slice(parent.length).replaceAll("\\", "/")];
}

const locks = new Map<string, Promise<Record<string, string>>>();

function installedLock(path: string): Promise<Record<string, string>> {
  const known = locks.get(path) ?? readLock(path);
  locks.set(path, known);
  return known;
}

async function readLock(path: string): Promise<Record<string, string>> {
  const value = jsonOf(await readFile(path, "utf8").catch(() => ""));
  const packages = isObject(value) && isObject(value.packages) ? value.packages : {};
  return Object.fromEntries(
    Object.entries(packages).flatMap(([folder, entry]) =>
      isObject(entry) && typeof entry.integrity === "string" ? [[folder, entry.integrity]] : [],
    ),
  );
}
