// Long loops report progress and give signals a turn through here, so that Ctrl-C never waits long.
import { setImmediate } from "node:timers/promises";
import { interrupted, type RerankTuneError } from "../../errors.js";
import type { MineContext } from "./options.js";

export class Pace {
  constructor(private readonly context: MineContext) {}

  /** Throws as `tick` does. */
  phase(name: string): void {
    this.context.emit({ type: "phase", name });
    this.stopWhenAsked();
  }

  /** @throws RerankTuneError INTERRUPTED or TERMINATED once the run was asked to stop. */
  async tick(completed: number, total: number, unit: string): Promise<void> {
    this.context.emit({ type: "progress", completed, total, unit });
    await setImmediate();
    this.stopWhenAsked();
  }

  private stopWhenAsked(): void {
    if (this.context.signal.aborted) throw miningStopped(this.context.signal);
  }
}

/** The error for a stopped run; its hint names the flag that goes on. */
export function miningStopped(signal: AbortSignal): RerankTuneError {
  return interrupted(signal, "run the same command with --resume: what is embedded, ranked and written is kept");
}
