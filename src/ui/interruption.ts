// Ctrl-C and SIGTERM: the first asks the work to stop, the second ends the process at once.
import { EXIT } from "../errors.js";

export interface Interruption {
  signal: AbortSignal;
  /** Stop listening; the process then dies of signals as usual. */
  release(): void;
}

/**
 * @param say tells the person what is happening.
 * @param kill ends the process with an exit code.
 * @returns a signal whose reason is `SIGINT` or `SIGTERM`.
 */
export function listenForSignals(say: (text: string) => void, kill: (exitCode: number) => void): Interruption {
  const controller = new AbortController();
  const onSignal = (name: "SIGINT" | "SIGTERM") => () => {
    if (controller.signal.aborted) return kill(name === "SIGINT" ? EXIT.sigint : EXIT.sigterm);
    say(name === "SIGINT" ? "stopping; press Ctrl-C again to kill" : "stopping (SIGTERM)");
    controller.abort(name);
  };
  const handlers = { SIGINT: onSignal("SIGINT"), SIGTERM: onSignal("SIGTERM") };
  process.on("SIGINT", handlers.SIGINT).on("SIGTERM", handlers.SIGTERM);
  return {
    signal: controller.signal,
    release: () => void process.off("SIGINT", handlers.SIGINT).off("SIGTERM", handlers.SIGTERM),
  };
}
