// `report`: the newest finished training of a recipe as one HTML file to read in a browser, to print and to hand on.
import { mkdir, open, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ArtifactStore } from "../artifacts/store.js";
import { fromFileSystemError, RerankTuneError } from "../errors.js";
import { validateRecipe } from "../recipe/load.js";
import { collectReport } from "../report/collect/index.js";
import { GENERATOR, renderReport } from "../report/page.js";
import { type ReportSummary, summaryOf } from "../report/summary.js";
import type { Paint } from "../ui/colors.js";
import type { Renderable } from "../ui/output.js";
import { displayPath } from "./context.js";

/** Stands beside the stages' folders. */
export const REPORT_NAME = "report.html";

export interface ReportFlags {
  artifacts: string;
  set: string[];
  out?: string;
}

export interface ReportResult extends ReportSummary {
  /** Absolute. */
  path: string;
}

/**
 * @param path recipe, or `-` for standard input.
 * @throws RerankTuneError what reading the recipe and the artifacts throws; USAGE when --out would overwrite something
 * else; NOT_WRITABLE, DISK_FULL.
 */
export async function report(path: string, flags: ReportFlags): Promise<Renderable> {
  const { name } = await validateRecipe(path, flags.set);
  const store = new ArtifactStore(resolve(flags.artifacts), name);
  const data = await collectReport(store, path);
  const file = flags.out === undefined ? join(store.folder, REPORT_NAME) : resolve(flags.out);
  await writeReport(file, renderReport(data));
  const result: ReportResult = { path: file, ...summaryOf(data) };
  return { data: result, essential: file, text: (paint) => reportText(result, paint) };
}

/** A report of before is replaced; any other file is left alone. */
async function writeReport(file: string, text: string): Promise<void> {
  try {
    if (!(await replaceable(file)))
      throw new RerankTuneError({
        code: "USAGE",
        message: `${file} is there already and is no training report.`,
        hint: "give another name: `--out report.html`",
      });
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (error) {
    if (error instanceof RerankTuneError) throw error;
    throw fromFileSystemError(error, file) ?? error;
  }
}

/** Whether nothing is there, or nothing but a report; a folder is neither. */
async function replaceable(file: string): Promise<boolean> {
  try {
    const handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0).finally(() => handle.close());
    return bytesRead === 0 || buffer.toString("utf8", 0, bytesRead).includes(GENERATOR);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "EISDIR" || code === "ENOTDIR") return false;
    throw error;
  }
}

function reportText({ path, verdict, missing }: ReportResult, paint: Paint): string {
  const lines = [
    ...(verdict === null ? [] : [verdict.summary]),
    ...missing.map(({ part, reason }) => `without ${part}: ${reason}`),
  ];
  return [...lines, ...(lines.length === 0 ? [] : [""]), `${paint("bold", "report")}  ${displayPath(path)}`].join("\n");
}
