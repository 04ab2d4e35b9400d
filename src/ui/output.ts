// The one sink of a command: results to stdout (text, essential value, or exactly one JSON document), everything else to stderr.
import type { RerankTuneError } from "../errors.js";
import type { PipelineEvent } from "../pipeline/execute.js";
import { type Paint, painter, usesColor, usesUnicode } from "./colors.js";
import { Progress } from "./progress.js";
import { errorDocument, renderError } from "./render-error.js";

export type OutputMode = "human" | "json" | "quiet";

export interface OutputFlags {
  json?: boolean;
  quiet?: boolean;
  verbose?: boolean;
  debug?: boolean;
  /** `--no-color` and `--no-progress` give false. */
  color?: boolean;
  progress?: boolean;
}

export interface OutputStreams {
  stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  stderr: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  variables: NodeJS.ProcessEnv;
}

/** What a command hands back; `text` builds what people read, with colour where stdout takes it and its width where it is a terminal. */
export interface Renderable {
  data: unknown;
  text(paint: Paint, columns?: number): string;
  /** The one value that `-q` prints; nothing when absent. */
  essential?: string;
  /** A result that is there although the command failed, such as a missed gate. */
  failure?: RerankTuneError;
}

/** Lives as long as a command. */
export class Output {
  readonly mode: OutputMode;
  private readonly progress: Progress;
  private readonly errorPaint: Paint;

  constructor(
    private readonly flags: OutputFlags,
    private readonly streams: OutputStreams = {
      stdout: process.stdout,
      stderr: process.stderr,
      variables: process.env,
    },
  ) {
    this.mode = flags.json === true ? "json" : flags.quiet === true ? "quiet" : "human";
    const { stderr, stdout, variables } = streams;
    this.errorPaint = painter(usesColor(stderr, variables, flags.color));
    const verbose = flags.verbose === true;
    const redraw = stderr.isTTY === true && variables.TERM !== "dumb" && flags.progress !== false && !verbose;
    this.progress = new Progress({
      stream: stderr,
      redraw,
      verbose,
      unicode: usesUnicode(variables),
      paint: this.errorPaint,
    });
    // `rerank-tune … | head` closes the pipe early: that is no failure.
    for (const stream of [stdout, stderr]) stream.on("error", ignoreBrokenPipe);
  }

  /** Events of the core. `-q` keeps warnings only; `--no-progress` keeps lines that say something is done. */
  emit(event: PipelineEvent): void {
    const passing = event.type === "phase" || event.type === "progress";
    if (this.mode === "quiet" && event.type !== "warning") return;
    if (this.flags.progress === false && passing) return;
    this.progress.handle(event);
  }

  /** A line for the person, on stderr. */
  message(text: string): void {
    this.progress.line(text);
  }

  /** The last line of a process that ends at once. */
  end(text: string): void {
    this.progress.end();
    this.progress.line(text);
  }

  async result(result: Renderable): Promise<void> {
    this.progress.end();
    const { data, failure } = result;
    if (this.mode === "json") return await this.document(failure, data);
    const paint = painter(usesColor(this.streams.stdout, this.streams.variables, this.flags.color));
    const text = this.mode === "quiet" ? (result.essential ?? "") : result.text(paint, this.streams.stdout.columns);
    if (text !== "") await this.print(`${text}\n`);
    if (failure !== undefined) this.explain(failure, text !== "");
  }

  async error(error: RerankTuneError): Promise<void> {
    this.progress.end();
    if (this.mode === "json") await this.document(error, error.data);
    else this.explain(error, false);
  }

  private explain(error: RerankTuneError, apart: boolean): void {
    const { columns } = this.streams.stderr;
    const text = renderError(error, this.errorPaint, {
      debug: this.flags.debug === true,
      ...(columns === undefined ? {} : { columns }),
    });
    this.streams.stderr.write(`${apart ? "\n" : ""}${text}\n`);
  }

  private async document(error: RerankTuneError | undefined, data: unknown): Promise<void> {
    if (error !== undefined && this.flags.debug === true) this.explain(error, false);
    const document =
      error === undefined
        ? { ok: true, data }
        : { ok: false, error: errorDocument(error), ...(data === undefined ? {} : { data }) };
    await this.print(`${JSON.stringify(document)}\n`);
  }

  /** Resolves when the text left the process, so that ending it cannot cut it short. */
  async print(text: string): Promise<void> {
    await new Promise<void>((resolve) => this.streams.stdout.write(text, () => resolve()));
  }
}

function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== "EPIPE") throw error;
}
