// `doctor`: what this machine has and lacks, each finding with its remedy. Builds and fetches nothing but, where asked, the CUDA files.
import { resolve } from "node:path";
import { installCuda } from "../doctor/cuda/install.js";
import { examine, type NamedFinding } from "../doctor/index.js";
import { onnxRuntimeEntry } from "../environment/onnxruntime.js";
import { RerankTuneError } from "../errors.js";
import type { Paint, Style } from "../ui/colors.js";
import type { Renderable } from "../ui/output.js";
import type { CommandContext } from "./context.js";

export interface DoctorFlags {
  artifacts: string;
  installCuda?: boolean;
  cudaPackage?: string;
  cudaFeed?: string;
}

/** @throws RerankTuneError as `installCuda`, with --install-cuda; USAGE for its flags without it. */
export async function doctor(flags: DoctorFlags, context: CommandContext): Promise<Renderable> {
  const { home, signal, emit } = context;
  if (flags.installCuda === true) await bringCuda(flags, context);
  else if (flags.cudaPackage !== undefined || flags.cudaFeed !== undefined)
    throw new RerankTuneError({
      code: "USAGE",
      message: "--cuda-package and --cuda-feed need --install-cuda.",
      hint: "add `--install-cuda`, or leave them out",
    });
  const begin = (check: string) => emit({ type: "phase", name: `check ${check}` });
  const findings = await examine(
    { home, artifacts: resolve(flags.artifacts), needsCuda: flags.installCuda === true, signal },
    begin,
  );
  const errors = findings.filter(({ severity }) => severity === "error");
  return {
    data: { findings },
    essential: errors.length === 0 ? "ready" : "not ready",
    text: (paint) => findingsText(findings, paint),
    ...(errors.length === 0 ? {} : { failure: notReady(errors) }),
  };
}

/** onnxruntime-node itself is fetched first where it is not here yet. */
async function bringCuda(flags: DoctorFlags, { home, signal, emit }: CommandContext): Promise<void> {
  const entry = await onnxRuntimeEntry({ home, signal, emit });
  const folder = await installCuda({
    entry,
    home,
    signal,
    emit,
    ...(flags.cudaPackage === undefined ? {} : { packageFile: resolve(flags.cudaPackage) }),
    ...(flags.cudaFeed === undefined ? {} : { feed: flags.cudaFeed }),
  });
  emit({ type: "note", message: `the CUDA provider is in ${folder}` });
}

const STYLES: Record<NamedFinding["severity"], Style> = { ok: "green", warning: "yellow", error: "red" };

function findingsText(findings: NamedFinding[], paint: Paint): string {
  const lines = findings.flatMap(({ severity, message, remedy }) => {
    const line = `${paint(STYLES[severity], severity.padEnd(7))}  ${message}`;
    return remedy === undefined ? [line] : [line, `         ${paint("dim", `-> ${remedy}`)}`];
  });
  return lines.join("\n");
}

function notReady(errors: NamedFinding[]): RerankTuneError {
  return new RerankTuneError({
    code: "ENVIRONMENT_BROKEN",
    message: `This machine is not ready: ${errors.length} ${errors.length === 1 ? "check fails" : "checks fail"}.`,
    hint: errors[0]?.remedy ?? "follow the remedies above",
    problems: errors.map(({ check, message, remedy }) => ({
      path: check,
      message,
      ...(remedy === undefined ? {} : { hint: remedy }),
    })),
  });
}
