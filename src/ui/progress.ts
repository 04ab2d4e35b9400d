// Progress on stderr: one redrawn line with the time left on a terminal, sparse plain lines elsewhere. Never touches stdout.
import type { PipelineEvent } from "../pipeline/execute.js";
import type { Paint } from "./colors.js";
import { duration, percent } from "./format.js";
import { wrapText } from "./wrap.js";

export interface ProgressOptions {
  /** `columns` is there on a terminal only. */
  stream: { write(text: string): unknown; columns?: number };
  /** Redraw one line; only on a terminal. */
  redraw: boolean;
  /** Print every metric; the redrawn line is off then, so that nothing interleaves. */
  verbose: boolean;
  unicode: boolean;
  paint: Paint;
  /** Milliseconds; injectable for tests. */
  now?: () => number;
}

/** Plain lines are this far apart, except the first of a phase (clig.dev: no floods in logs). */
const SPARSE_MS = 30_000;
const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 80;

interface Work {
  completed: number;
  total: number;
  unit: string;
}

/** State of what is going on now; lives as long as a command. */
export class Progress {
  private stage = "";
  private phase = "";
  private since = 0;
  private work: Work | undefined;
  private quality = "";
  private drawn = false;
  private lastDrawn = Number.NEGATIVE_INFINITY;
  private lastPlain = Number.NEGATIVE_INFINITY;
  private readonly toldPhases = new Set<string>();
  private ticker: NodeJS.Timeout | undefined;

  constructor(private readonly options: ProgressOptions) {}

  handle(event: PipelineEvent): void {
    if (event.type === "stage") this.onStage(event);
    else if (event.type === "phase") this.onPhase(event.name);
    else if (event.type === "progress") this.onProgress(event);
    else if (event.type === "metric") this.onMetric(event);
    else if (event.type === "warning")
      this.line(this.wrap(`${this.options.paint("yellow", "warning")}: ${event.message}`));
    else this.line(`  ${this.wrap(event.message)}`);
  }

  /** A line that stays; the redrawn line is cleared before and comes back by itself. */
  line(text: string): void {
    this.clear();
    this.options.stream.write(`${text}\n`);
    if (this.phase !== "" || this.stage !== "") this.draw();
  }

  /** Clears the redrawn line for good. */
  end(): void {
    clearInterval(this.ticker);
    this.ticker = undefined;
    this.stage = "";
    this.phase = "";
    this.clear();
  }

  private onStage(event: Extract<PipelineEvent, { type: "stage" }>): void {
    const { name, status, reason, seconds = 0 } = event;
    const { paint, unicode } = this.options;
    this.stage = "";
    this.startPhase("");
    this.toldPhases.clear();
    this.quality = "";
    if (status === "running") {
      this.line(paint("dim", `${unicode ? "▸" : ">"} ${name.padEnd(8)}  ${reason}`));
      this.stage = name;
      this.draw();
    } else if (status === "cached") this.line(`${unicode ? "•" : "="} ${name.padEnd(8)}  cached`);
    else if (status === "done")
      this.line(`${paint("green", unicode ? "✓" : "+")} ${name.padEnd(8)}  ${duration(seconds)}`);
    else if (status === "failed" || status === "stopped")
      this.line(`${paint("red", unicode ? "✗" : "x")} ${name.padEnd(8)}  ${status} after ${duration(seconds)}`);
  }

  private wrap(text: string): string {
    return wrapText(text, this.options.stream.columns, 2);
  }

  private onPhase(name: string): void {
    this.startPhase(name);
    if (this.options.redraw) this.draw();
    else if (!this.toldPhases.has(name)) this.plain(this.subject());
    this.toldPhases.add(name);
  }

  private startPhase(name: string): void {
    this.phase = name;
    this.since = this.now();
    this.work = undefined;
    this.lastDrawn = Number.NEGATIVE_INFINITY;
  }

  private onProgress({ completed, total, unit }: Work): void {
    if (this.work !== undefined && completed < this.work.completed) this.since = this.now();
    this.work = { completed, total, unit };
    if (this.options.redraw) this.draw();
    else if (this.now() - this.lastPlain >= SPARSE_MS) this.plain(this.describe());
  }

  private onMetric({ name, value, step, split }: Extract<PipelineEvent, { type: "metric" }>): void {
    const ranking = /(^|\.)(ndcg|mrr|recall|map)\b/.test(name);
    const text = `${name} ${value === null ? "not a number" : ranking ? percent(value) : Number(value.toPrecision(4))}`;
    if (ranking) this.quality = text;
    const at = [split, step === undefined ? undefined : `step ${step}`].filter((part) => part !== undefined).join(", ");
    if (ranking || this.options.verbose) this.line(`  ${text}${at === "" ? "" : ` (${at})`}`);
  }

  private subject(): string {
    return [this.stage, this.phase].filter((part) => part !== "").join(": ") || "working";
  }

  /** Such as `train: steps  34 %  64/188 steps  1 m 05 s left  ndcg@10 42.31`. */
  private describe(): string {
    const elapsed = (this.now() - this.since) / 1000;
    if (this.work === undefined) return [this.subject(), duration(elapsed), this.quality].filter(Boolean).join("  ");
    const { completed, total, unit } = this.work;
    const share = total > 0 ? completed / total : 0;
    const left = share > 0 && share < 1 && elapsed >= 1 ? `${duration((elapsed * (1 - share)) / share)} left` : "";
    const count = `${whole(completed)}/${whole(total)} ${unit}`;
    return [this.subject(), `${Math.floor(share * 100)} %`, count, left, this.quality].filter(Boolean).join("  ");
  }

  private plain(text: string): void {
    this.lastPlain = this.now();
    this.options.stream.write(`  ${text}\n`);
  }

  private draw(): void {
    if (!this.options.redraw) return;
    this.ticker ??= setInterval(() => this.draw(), 1000).unref();
    if (this.stage === "" && this.phase === "") return;
    if (this.drawn && this.now() - this.lastDrawn < REDRAW_MS) return;
    const columns = this.options.stream.columns || DEFAULT_COLUMNS;
    const text = `  ${this.describe()}`;
    // The last column stays free: some terminals wrap when it is written.
    this.options.stream.write(`\r\u001b[2K${text.slice(0, columns - 1)}`);
    this.drawn = true;
    this.lastDrawn = this.now();
  }

  private clear(): void {
    if (this.drawn) this.options.stream.write("\r\u001b[2K");
    this.drawn = false;
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
