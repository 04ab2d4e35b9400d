// R7: every byte of what decides, and many bytes of what is stored, is changed; verify has to find each change, and nothing on sound registries.
import { chmod, cp, link, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { generator } from "./harness/random.mjs";
import { makeKey, publishWithEvidence } from "./harness/signed.mjs";
import { workFolder } from "./harness/trials.mjs";
import { makePlace, version, writeSources } from "./harness/versions.mjs";
import { flipSignatureFile } from "./signature-file.mjs";

const CLEAN_ROOTS = 200;
const BLOB_FLIPS = 1000;

export async function measure({ product, short, log }) {
  const work = await workFolder();
  const result = { tried: 0, passed: 0, failures: [] };
  const every = short ? 97 : 1;
  try {
    const place = await makePlace(join(work.folder, "sound"), await writeSources(join(work.folder, "sources")));
    await history(product, place, 3, generator(1));
    const { deciding, evidence } = await bytesThatCount(place);
    const blobs = short ? 20 : BLOB_FLIPS;
    log(`flips of index, log and manifests: ${await flipAll(product, place, deciding, every, result)}`);
    log(`flips of signatures, statements and reports: ${await flipAll(product, place, evidence, every, result)}`);
    log(`flips in blobs: ${await flipBlobs(product, place, blobs, result)}`);
    const rearranged = await rearrange(product, place, short ? 9 : 1, result);
    log(`files cut, grown, swapped, linked, added, removed, opened: ${rearranged}`);
    const random = generator(4);
    const judge = (what, found) => note(result, what, found);
    const { written, laidOut } = await flipSignatureFile(product, place, { every, random, note: judge });
    log(
      `flips of model.sig as it is written: ${written.flips}, not refused because they read the same: ${written.same}`,
    );
    log(`flips of model.sig laid out with white space: ${laidOut.flips}, not refused: ${laidOut.same}`);
    const clean = await falseAlarms(product, work.folder, short ? 5 : CLEAN_ROOTS, result);
    log(`sound registries without an alarm: ${clean}`);
  } finally {
    await work.remove();
  }
  return result;
}

/** A registry as a few weeks leave it; the last version is signed, with its provenance, gates and bills of materials. */
async function history(product, place, steps, random) {
  const registry = await product.openRegistry(place.root, { create: true });
  if (steps > 0) await makeKey(product, place);
  for (let step = 0; step < steps; step += 1) {
    const more = {
      report: step,
      alias: random.pick(["latest", "staging"]),
      reason: `step ${step}`,
      now: new Date(1.7e12 + step * 1e8),
    };
    const { name, config, referrers, files, ...rest } = version(place, random.pick(["one", "two"]), more);
    const card = { path: "README.md", source: { content: `# card ${step}` } };
    await registry.publishVersion({ ...rest, name, config, referrers, files: [card, ...files.slice(1)] });
  }
  if (steps > 0) await publishWithEvidence(product, place, "one", { report: steps, reason: "signed" });
}

/** What verify says of the registry now: sound, found, or an error that has no name. */
async function verdict(product, root) {
  try {
    const report = await (await product.openRegistry(root)).verify();
    return report.uncommitted_log_bytes > 0 ? "found" : "sound";
  } catch (error) {
    return error.code === "REGISTRY_CORRUPT" || error.code === "REGISTRY_NOT_FOUND"
      ? "found"
      : `a raw ${error.code ?? error.name}: ${error.message}`;
  }
}

function note(result, what, found, expected = "found") {
  result.tried += 1;
  if (found === expected) result.passed += 1;
  else result.failures.push(`${what}: ${found}`);
}

/** Files whose every byte is changed: those that decide, and what is said beside versions. */
async function bytesThatCount({ root }) {
  const blob = ({ digest }) => join(root, "blobs", "sha256", digest.slice(7));
  const { manifests } = JSON.parse(await readFile(join(root, "index.json"), "utf8"));
  const evidence = new Set();
  for (const entry of manifests) {
    const { subject, config, layers } = JSON.parse(await readFile(blob(entry), "utf8"));
    if (subject !== undefined) for (const part of [config, ...layers]) evidence.add(blob(part));
  }
  const own = ["index.json", "reflog.ndjson", "oci-layout"].map((name) => join(root, name));
  return { deciding: new Set([...own, ...manifests.map(blob)]), evidence };
}

/** Every byte, one at a time, by a mask that changes from byte to byte. */
async function flipAll(product, { root }, paths, every, result) {
  const random = generator(2);
  let count = 0;
  for (const path of paths) {
    const bytes = await readFile(path);
    for (let at = 0; at < bytes.length; at += every) {
      await flipped(path, bytes, at, 1 + random.below(255), async () =>
        note(result, `byte ${at} of ${basename(path)}`, await verdict(product, root)),
      );
      count += 1;
    }
  }
  return count;
}

async function flipBlobs(product, { root }, flips, result) {
  const folder = join(root, "blobs", "sha256");
  const names = (await readdir(folder)).sort();
  const random = generator(3);
  for (let flip = 0; flip < flips; flip += 1) {
    const path = join(folder, random.pick(names));
    const bytes = await readFile(path);
    const at = random.below(bytes.length);
    await flipped(path, bytes, at, 1 + random.below(255), async () =>
      note(result, `byte ${at} of blob ${basename(path)}`, await verdict(product, root)),
    );
  }
  return flips;
}

/** In place, as a failing disk or a writer through a link would do it: name, mode and size stay. */
async function flipped(path, bytes, at, mask, look) {
  const changed = Buffer.from(bytes);
  changed[at] ^= mask;
  await overwrite(path, changed);
  await look();
  await overwrite(path, bytes);
}

async function overwrite(path, bytes) {
  const frozen = path.includes("sha256");
  if (frozen) await chmod(path, 0o644);
  await writeFile(path, bytes);
  if (frozen) await chmod(path, 0o444);
}

/** Kinds of change to a whole file; each gets the path, a second path, and a path outside. */
const CHANGES = {
  cut: async (path) => await overwrite(path, (await readFile(path)).subarray(0, -1)),
  emptied: (path) => truncate(path, 0),
  grown: async (path) => await overwrite(path, Buffer.concat([await readFile(path), Buffer.from("x")])),
  "swapped with another": async (path, other) => {
    await rename(path, `${path}.aside`);
    await rename(other, path);
    await rename(`${path}.aside`, other);
  },
  "a symbolic link to the same bytes": async (path, _, outside) => {
    await rename(path, outside);
    await symlink(outside, path);
  },
  "a link that leads nowhere": async (path, _, outside) => {
    await rm(path);
    await symlink(outside, path);
  },
  "a hard link to another": async (path, other) => {
    await rm(path);
    await link(other, path);
  },
  removed: (path) => rm(path),
  "a folder": async (path) => {
    await rm(path);
    await mkdir(path);
  },
};
const BLOB_CHANGES = {
  "made writable": (path) => chmod(path, 0o644),
  "made writable by all": (path) => chmod(path, 0o666),
  "one more name": (path) => link(path, `${path}.copy`),
  "one more blob that is none": (path) => writeFile(join(path, "..", "f".repeat(64)), "x"),
  "a file beside the blobs": (path) => writeFile(join(path, "..", "..", "notes.txt"), "x"),
  "a file in the registry": (path) => writeFile(join(path, "..", "..", "..", "notes.txt"), "x"),
};

async function rearrange(product, { root }, every, result) {
  const blobs = (await readdir(join(root, "blobs", "sha256"))).sort().map((name) => join("blobs", "sha256", name));
  const paths = ["index.json", "reflog.ndjson", "oci-layout", ...blobs.filter((_, number) => number % every === 0)];
  let count = 0;
  for (const [number, path] of paths.entries()) {
    const changes = { ...CHANGES, ...(path.startsWith("blobs") ? BLOB_CHANGES : {}) };
    for (const [what, change] of Object.entries(changes)) {
      const copy = `${root}.copy`;
      await cp(root, copy, { recursive: true });
      await change(join(copy, path), join(copy, paths[(number + 1) % paths.length]), join(copy, "..", "outside"));
      note(result, `${path} ${what}`, await verdict(product, copy));
      await rm(copy, { recursive: true, force: true });
      await rm(join(copy, "..", "outside"), { force: true });
      count += 1;
    }
  }
  return count;
}

async function falseAlarms(product, work, roots, result) {
  const sources = join(work, "sources");
  for (let number = 0; number < roots; number += 1) {
    const place = await makePlace(join(work, `clean-${number}`), sources);
    await history(product, place, number % 9, generator(number));
    note(result, `sound registry ${number}`, await verdict(product, place.root), "sound");
    await rm(place.folder, { recursive: true, force: true });
  }
  return roots;
}
