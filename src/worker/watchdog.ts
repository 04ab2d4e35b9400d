// Tells a worker that is frozen from one that is slow, by what it says and how long ago. Stops nothing itself.
import type { WorkerEvent } from "./protocol.js";

/**
 * Twenty signs of life that did not come (reporter.py sends one every 15 s). Python code that holds the interpreter lock sends
 * none: loading torch from a cold network disk, or serialising a large model, may take minutes.
 */
export const SILENCE_SECONDS = 300;
/** Signs of life and nothing else for so long are worth a word; a large step on a slow machine may take longer. */
export const STANDSTILL_SECONDS = 600;
/** Both are counted in these. */
const TICK_SECONDS = 1;

export interface WatchdogOptions {
  /** Seconds without any event until the process counts as frozen. */
  silenceSeconds: number;
  /** Seconds with nothing but `alive` until `onStandstill`. */
  standstillSeconds: number;
  /** Called once; nothing is watched after it. */
  onSilence(): void;
  /** Called at most once a phase, with its name; undefined before the first. */
  onStandstill(phase: string | undefined): void;
}

/**
 * Time is counted in ticks and not by a clock: while this process is stopped, or its machine asleep, no tick comes, and the
 * first one afterwards counts as one, however late it is.
 */
export class Watchdog {
  private timer: NodeJS.Timeout | undefined;
  private silent = 0;
  private still = 0;
  private phase: string | undefined;
  private told = false;

  constructor(private readonly options: WatchdogOptions) {}

  /** Watches from now on; again, it does nothing. */
  start(): void {
    this.timer ??= setInterval(() => this.tick(), TICK_SECONDS * 1000);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Every event proves life; every one but `alive` proves progress. */
  heard(event: WorkerEvent): void {
    this.silent = 0;
    if (event.type === "alive") return;
    this.still = 0;
    if (event.type !== "phase") return;
    this.phase = event.name;
    this.told = false;
  }

  private tick(): void {
    this.silent += TICK_SECONDS;
    this.still += TICK_SECONDS;
    if (this.silent >= this.options.silenceSeconds) {
      this.stop();
      this.options.onSilence();
    } else if (this.still >= this.options.standstillSeconds && !this.told) {
      this.told = true;
      this.options.onStandstill(this.phase);
    }
  }
}
