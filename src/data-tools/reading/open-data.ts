// Reads labelled data of any form into StreamedData: a file, a folder of a known form, or a folder with one file a split.
import { dataInvalid, type Findings } from "../../dataset/findings.js";
import type { DataFormat } from "../../dataset/labelled.js";
import { readLabelledData } from "../../dataset/readers/detect.js";
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

/**
 * What cannot be read becomes findings. The caller closes the result.
 * @throws RerankTuneError DATA_NOT_FOUND; DATA_INVALID when the form cannot be told.
 */
export async function openData(path: string, options: OpenOptions): Promise<StreamedData> {
  const { findings, scratch, met = () => undefined, keepSplits = true } = options;
  let data: StreamedData | undefined;
  try {
    await readLabelledData(path, options.format, OF_COMMAND, (form) => {
      data = new StreamedData(form, findings, scratch, met, keepSplits);
      return data;
    });
  } catch (error) {
    data?.close();
    throw error;
  }
  if (data === undefined) throw dataInvalid(`${path} holds no data.`, "name a file of labelled rows");
  return data;
}
