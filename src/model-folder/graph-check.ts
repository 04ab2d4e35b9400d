// Whether an ONNX file may be opened here: whole, of versions this runtime reads, its weights beside it. Reads the header, no tensor.
import { existsSync } from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RerankTuneError } from "../errors.js";
import { type OnnxHeader, readOnnxHeader } from "./onnx-header.js";
import { readerOf } from "./read-at.js";

/** The newest that onnxruntime-node 1.30 opens (tried: IR 14 and opset 27 are refused). What TEI reads is for lint to say. */
export const NEWEST = { ir: 13, opset: 26 } as const;

/**
 * @throws RerankTuneError MODEL_NOT_FOUND when the file or its weights are not there; MODEL_UNSUPPORTED when it is cut off, too new,
 * or keeps weights outside its folder.
 */
export async function checkGraph(file: string): Promise<void> {
  const header = await headerOf(file);
  const problem = versionProblem(header) ?? outsideProblem(header);
  if (problem !== undefined) throw unsupported(file, problem.message, problem.hint);
  const absent = header.externalFiles.find((name) => !existsSync(join(dirname(file), name)));
  if (absent !== undefined)
    throw missing(join(dirname(file), absent), `is missing, and ${file} keeps its weights there`, "copy it there too");
}

async function headerOf(file: string): Promise<OnnxHeader> {
  const handle = await open(file).catch(() => undefined);
  if (handle === undefined) throw missing(file, "is missing", "name a model folder whose onnx/ holds the graph");
  try {
    const { size } = await handle.stat();
    return await readOnnxHeader(size, readerOf(handle));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
    throw unsupported(file, `is no whole ONNX file: ${(error as Error).message}`, "copy or export it again");
  } finally {
    await handle.close();
  }
}

interface Problem {
  message: string;
  hint: string;
}

function versionProblem({ ir, opsets }: OnnxHeader): Problem | undefined {
  const opset = opsets[""] ?? 0;
  if (ir > NEWEST.ir)
    return {
      message: `has IR version ${ir}, and ONNX Runtime 1.30 reads up to ${NEWEST.ir}`,
      hint: "save it again in Python after `model.ir_version = 10`, which TEI reads too",
    };
  if (opset > NEWEST.opset)
    return {
      message: `has opset ${opset}, and ONNX Runtime 1.30 knows up to ${NEWEST.opset}`,
      hint: "export it with opset 17 to 20, which every consumer runs",
    };
  return undefined;
}

/** Such a path could name any file of the machine (onnx CVE-2026-27489). */
function outsideProblem({ externalFiles }: OnnxHeader): Problem | undefined {
  const outside = externalFiles.find(leavesFolder);
  if (outside === undefined) return undefined;
  return {
    message: `keeps weights in ${JSON.stringify(outside)}, outside its folder`,
    hint: "save it again with its weights beside it, in Python: `onnx.save(model, FILE, save_as_external_data=True, location=NAME)`",
  };
}

/** Whether the place that a graph names for its weights is absolute or climbs out of the folder, on any system. */
export function leavesFolder(location: string): boolean {
  return /^([\\/]|[A-Za-z]:)/.test(location) || location.split(/[\\/]/).includes("..");
}

function unsupported(file: string, message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "MODEL_UNSUPPORTED", message: `${file} ${message}.`, hint });
}

function missing(file: string, message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "MODEL_NOT_FOUND", message: `${file} ${message}.`, hint });
}
