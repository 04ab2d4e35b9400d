// A view as its readers see it: which names there are, and whether what stands under each is whole. Written from the layouts, not from the product.
import { createHash } from "node:crypto";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { opened } from "./versions.mjs";

const REVISION = /^[0-9a-f]{40}$/;

/** Revision to path to sha256 of every version in the registry. */
async function versionsOf(product, place) {
  const registry = await opened(product, place);
  const found = new Map();
  for (const { versions } of await registry.list())
    for (const { version, digest } of versions) {
      const { files } = await registry.show(version);
      found.set(digest.slice(7, 47), new Map(files.map(({ path, sha256 }) => [path, sha256])));
    }
  return found;
}

/** What is wrong with what a reader can reach; none when every name leads to a whole version, or, where `mayMiss`, to none. */
export async function brokenNames(product, place, kind, mayMiss = false) {
  const versions = await versionsOf(product, place);
  const complaints = [];
  for (const model of await names(place.target)) {
    const top = join(place.target, model);
    const shelf = kind === "hub" ? join(top, "snapshots") : top;
    const pointers = kind === "hub" ? await refsOf(top, versions, complaints) : await linksOf(top);
    const present = new Set((await names(shelf)).filter((name) => REVISION.test(name)));
    for (const [name, revision] of pointers)
      if (!versions.has(revision)) complaints.push(`${model}: ${name} names ${JSON.stringify(revision)}`);
      else if (!present.has(revision) && !mayMiss) complaints.push(`${model}: ${name} leads to nothing`);
    for (const revision of present)
      complaints.push(...(await halves(join(shelf, revision), versions.get(revision), `${model}/${revision}`)));
  }
  return complaints;
}

/** Refs are texts with a revision; a listing beside them has to be whole and to name what the version holds. */
async function refsOf(top, versions, complaints) {
  for (const name of await names(join(top, "trees"))) {
    const listed = filesIn(await text(join(top, "trees", name)));
    const held = [...(versions.get(name.replace(".json", ""))?.keys() ?? [])].sort();
    if (listed.join() !== held.join()) complaints.push(`trees/${name} lists other files`);
  }
  const refs = (await names(join(top, "refs"))).map(async (name) => [name, await text(join(top, "refs", name))]);
  return await Promise.all(refs);
}

function filesIn(listing) {
  try {
    return Object.keys(JSON.parse(listing).files).sort();
  } catch {
    return ["nothing that can be read"];
  }
}

async function linksOf(top) {
  const links = (await names(top)).filter((name) => !REVISION.test(name));
  return await Promise.all(links.map(async (name) => [name, await readlink(join(top, name))]));
}

/** A folder of a version that lacks a file, has one too many, or one with other bytes. */
async function halves(folder, files, called) {
  if (files === undefined) return [`${called} is no version`];
  const complaints = [];
  for (const [path, sha256] of files) {
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    if (bytes === undefined) complaints.push(`${called} lacks ${path}`);
    else if (createHash("sha256").update(bytes).digest("hex") !== sha256)
      complaints.push(`${called} has another ${path}`);
  }
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const count = entries.filter((entry) => entry.isFile()).length;
  if (count > files.size) complaints.push(`${called} has ${count} files, not ${files.size}`);
  return complaints;
}

/** Without the builder's own names, which no reader looks at. */
const names = async (folder) =>
  (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith(".rerank-tune-"));
const text = async (path) => await readFile(path, "utf8");
