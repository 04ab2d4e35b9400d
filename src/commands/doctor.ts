// `doctor`: what this machine has and lacks, each finding with its remedy. Builds and fetches nothing.
import { resolve } from "node:path";
import { examine, type NamedFinding } from "../doctor/index.js";
import { RerankTuneError } from "../errors.js";
import type { Paint, Style } from "../ui/colors.js";
import type { Renderable } from "../ui/output.js";
import type { CommandContext } from "./context.js";

export async function doctor(flags: { artifacts: string }, context: CommandContext): Promise<Renderable> {
  const { home, signal, emit } = context;
  const begin = (check: string) => emit({ type: "phase", name: `check ${check}` });
  const findings = await examine({ home, artifacts: resolve(flags.artifacts), signal }, begin);
  const errors = findings.filter(({ severity }) => severity === "error");
  return {
    data: { findings },
    essential: errors.length === 0 ? "ready" : "not ready",
    text: (paint) => findingsText(findings, paint),
    ...(errors.length === 0 ? {} : { failure: notReady(errors) }),
  };
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
