// The contract of a check: one question about this machine, answered with findings that carry their remedy.

export type Severity = "ok" | "warning" | "error";

export interface Finding {
  severity: Severity;
  message: string;
  /** What to type or change; required unless all is well. */
  remedy?: string;
}

export interface CheckContext {
  /** Cache folder of the tool. */
  home: string;
  /** Folders the tool will write to. */
  artifacts: string;
  /** Whether the person asked for CUDA: what keeps it from working is then an error, else a warning. */
  needsCuda?: boolean;
  signal: AbortSignal;
}

export interface Check {
  /** Short and stable; `--json` shows it. */
  name: string;
  run(context: CheckContext): Promise<Finding[]>;
}

export const ok = (message: string): Finding => ({ severity: "ok", message });
export const warning = (message: string, remedy: string): Finding => ({ severity: "warning", message, remedy });
export const failure = (message: string, remedy: string): Finding => ({ severity: "error", message, remedy });
