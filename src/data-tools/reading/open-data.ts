// Reads labelled data of any form into StreamedData: a file, a folder of a known form, or a folder with one file a split.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { dataInvalid, type Findings } from "../../dataset/findings.js";
import type { Split } from "../../dataset/groups.js";
import type { DataFormat } from "../../dataset/labelled.js";
import { readLabelledData } from "../../dataset/readers/detect.js";
import { SPLIT_NAMES } from "../../dataset/readers/fields.js";
import type { SourceWords } from "../../dataset/readers/form-of-path.js";
import type { MetText } from "./rows.js";
import { StreamedData } from "./streamed-data.js";

export interface OpenOptions {
  format: DataFormat | "auto";
  findings: Findings;
  /** Existing folder for what does not fit in memory. */
  scratch: string;
  met?: (text: MetText) => void;
  /** False to read the data as if it had no split of its own. */
  keepSplits?: boolean;
}

/** What hints call the path and the form: these tools take both from the command line. */
const OF_COMMAND: SourceWords = {
  source: "the path; name a file of labelled rows or a folder with judgements",
  form: (name) => `--format ${name}`,
};

const SPLIT_FILE = /^(?:groups\.)?(\w+)\.(?:jsonl|ndjson|csv|tsv)(?:\.gz)?$/i;

/**
 * What cannot be read becomes findings. The caller closes the result.
 * @throws RerankTuneError DATA_NOT_FOUND; DATA_INVALID when the form cannot be told.
 */
export async function openData(path: string, options: OpenOptions): Promise<StreamedData> {
  const { findings, scratch, met = () => undefined, keepSplits = true } = options;
  let data: StreamedData | undefined;
  try {
    for (const { file, side } of await filesOf(path))
      await readLabelledData(file, options.format, OF_COMMAND, (form) => {
        data ??= new StreamedData(form, findings, scratch, met, keepSplits);
        data.side = side;
        return data;
      });
  } catch (error) {
    data?.close();
    throw error;
  }
  if (data === undefined) throw dataInvalid(`${path} holds no data.`, "name a file of labelled rows");
  return data;
}

/** The path itself, or the files of a folder such as `data split` writes. */
async function filesOf(path: string): Promise<{ file: string; side: Split | undefined }[]> {
  const found = await stat(path).catch(() => undefined);
  const names = found?.isDirectory() === true ? (await readdir(path)).sort() : [];
  if (names.some((name) => /^(corpus|collection|passages|documents|qrels)\b/i.test(name)))
    return [{ file: path, side: undefined }];
  const files = names.flatMap((name) => {
    const side = SPLIT_NAMES[SPLIT_FILE.exec(name)?.[1]?.toLowerCase() ?? ""];
    return side === undefined ? [] : [{ file: join(path, name), side }];
  });
  return files.length === 0 ? [{ file: path, side: undefined }] : files;
}
