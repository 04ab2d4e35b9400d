// Part of R7: every byte of the model.sig beside a pulled folder is changed; the check of the folder has to refuse each, or read the very same thing.
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { opened } from "./harness/versions.mjs";

/** Beside a random mask: the lowest bit, the bit between upper and lower case, and what makes other white space of spaces and line ends. */
const MASKS = [0x01, 0x20, 0x2a];

/**
 * As it is written, and laid out with white space as other tools may do it.
 * @param place with a registry whose `latest` is signed by the key of the place.
 * @returns of each form how many flips there were, and how many of them the check did not refuse because they mean the same.
 */
export async function flipSignatureFile(product, place, { every, random, note }) {
  await (await opened(product, place)).pull("reranker", place.target);
  const flags = { artifacts: place.folder, registry: place.root, key: [`${place.key}.pub`] };
  await product.writeEvidence("reranker", place.target, flags);
  const file = join(place.target, "model.sig");
  await chmod(file, 0o644);
  const keys = product.readTrustedKeys(await readFile(`${place.key}.pub`, "utf8"), "the signer");
  const check = () => product.checkFolder(place.target, file, keys, new Date());
  const written = await readFile(file);
  const laidOut = Buffer.from(JSON.stringify(JSON.parse(written), null, 2));
  const counts = {};
  for (const [form, bytes] of Object.entries({ written, laidOut })) {
    await writeFile(file, bytes);
    await check();
    counts[form] = { flips: 0, same: 0 };
    for (let at = 0; at < bytes.length; at += every)
      for (const mask of new Set([1 + random.below(255), ...MASKS])) {
        const outcome = await judged(check, file, bytes, at, mask);
        note(`byte ${at} of model.sig (${form}) by ${mask}`, outcome === "the same" ? "found" : outcome);
        counts[form].flips += 1;
        if (outcome === "the same") counts[form].same += 1;
      }
  }
  return counts;
}

/** `found`, `the same` where both texts are the same JSON, or what was accepted. */
async function judged(check, file, bytes, at, mask) {
  const changed = Buffer.from(bytes);
  changed[at] ^= mask;
  await writeFile(file, changed);
  try {
    await check();
  } catch (error) {
    return error.code === "SIGNATURE_INVALID" ? "found" : `a raw ${error.code ?? error.name}: ${error.message}`;
  }
  const same = isDeepStrictEqual(JSON.parse(changed.toString()), JSON.parse(bytes.toString()));
  return same ? "the same" : `accepted ${JSON.stringify(changed.toString().slice(Math.max(0, at - 30), at + 30))}`;
}
