// What a registry holds as its readers see it, and what lies on the disk; both in a form that can be compared.
import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink, utimes } from "node:fs/promises";
import { join, relative } from "node:path";

/** Index, committed history, versions with their content, and the pulled folder. Throws what the product throws. */
export async function view(product, place) {
  const pulled = await tree(place.target);
  const index = await readFile(join(place.root, "index.json"), "utf8").catch(() => undefined);
  if (index === undefined) return JSON.stringify({ index: null, pulled });
  const registry = await product.openRegistry(place.root);
  const models = await registry.list();
  const shown = [];
  for (const { versions } of models) for (const { version } of versions) shown.push(await registry.show(version));
  return JSON.stringify({ index, log: await committedLog(place.root, JSON.parse(index)), models, shown, pulled });
}

/** Lines of the history up to the one that the index names. */
export async function committedLog(root, index) {
  const head = index.annotations?.["rerank-tune.reflog.head"];
  if (head === undefined) return [];
  const lines = (await readFile(join(root, "reflog.ndjson"), "utf8")).split("\n");
  const last = lines.findIndex((line) => createHash("sha256").update(line).digest("hex") === head);
  if (last < 0) throw new Error("the committed line of the history is gone");
  return lines.slice(0, last + 1);
}

/** Problems that `verify` finds; a registry that is not there has none. */
export async function verifyProblems(product, place) {
  try {
    await (await product.openRegistry(place.root)).verify();
    return [];
  } catch (error) {
    if (error.code === "REGISTRY_NOT_FOUND") return [];
    return [`${error.code ?? error.name}: ${error.message}`, ...(error.problems ?? []).map(({ message }) => message)];
  }
}

/** Every path below a folder with its kind, mode and digest; undefined when there is nothing. After a crash the quarantine may hold a batch more, and the guard of a takeover may stay until the next one. */
export async function tree(folder) {
  const found = {};
  const visit = async (path) => {
    if (path.endsWith("/registry/quarantine") || path.endsWith(".lock.takeover")) return;
    const entry = await lstat(path);
    const mode = (entry.mode & 0o777).toString(8);
    if (entry.isDirectory()) {
      found[relative(folder, path)] = `folder ${mode}`;
      for (const name of (await readdir(path)).sort()) await visit(join(path, name));
    } else if (entry.isFile())
      found[relative(folder, path)] = `file ${mode} ${createHash("sha256")
        .update(await readFile(path))
        .digest("hex")}`;
    else found[relative(folder, path)] = entry.isSymbolicLink() ? `link ${await readlink(path)}` : "other";
  };
  try {
    await visit(folder);
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
  return found;
}

/** Paths in which two trees differ. */
export function differences(left = {}, right = {}) {
  const paths = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...paths]
    .filter((path) => left[path] !== right[path])
    .map((path) => `${path || "."}: ${left[path]} / ${right[path]}`);
}

/** Lets time pass for lock files, wherever they are: one without content counts as abandoned only after seconds. */
export async function ageLocks(folder) {
  const past = new Date(Date.now() - 60_000);
  for (const path of await readdir(folder, { recursive: true }).catch(() => []))
    if (/\.lock(\.takeover)?$/.test(path)) await utimes(join(folder, path), past, past);
}
