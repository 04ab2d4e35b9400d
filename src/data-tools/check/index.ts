// `data check`: reads labelled data once, shows it to every rule, and writes a cleaned copy on request. Memory does not grow with the texts.
import { SPLITS } from "../../dataset/groups.js";
import { Integers } from "../../dataset/integers.js";
import { QueryClusters } from "../../dataset/query-split.js";
import { normalisedKey } from "../../dataset/text.js";
import { TextIndex } from "../../dataset/text-index.js";
import { loadTokenizer } from "../../inference/tokenizer.js";
import { canonicalLine } from "../reading/canonical.js";
import { eachGroup } from "../reading/each-group.js";
import type { JudgedGroup } from "../reading/judged-group.js";
import { LineFile } from "../reading/line-file.js";
import { openData } from "../reading/open-data.js";
import type { StreamedData } from "../reading/streamed-data.js";
import { checkedGroup } from "./checked-group.js";
import type { CheckOptions, CheckResult } from "./options.js";
import { forwardingFindings, takeCounted } from "./reader-findings.js";
import { Report } from "./report.js";
import type { CheckedData, CheckedGroup, CheckLimits, Watcher } from "./rule.js";
import { RULES } from "./rules/index.js";
import { adjustedValue } from "./rules/rows.js";
import { RunTable } from "./run-table.js";
import { readScoreTable, type ScoreTable } from "./score-table.js";

/**
 * Runs every rule.
 * @throws RerankTuneError DATA_NOT_FOUND; DATA_INVALID when the form cannot be told or scores or run are malformed;
 * MODEL_NOT_FOUND, MODEL_UNSUPPORTED (tokenizer); NOT_WRITABLE, DISK_FULL; INTERRUPTED. Findings are no error.
 */
export async function checkData(options: CheckOptions): Promise<CheckResult> {
  const { clean } = options;
  const copy = clean === undefined ? undefined : new LineFile(clean);
  const leftOut = clean === undefined ? undefined : new LineFile(`${clean}.left-out.jsonl`);
  try {
    const result = await new DataCheck(options, copy, new Report(leftOut)).run();
    copy?.finish();
    leftOut?.finish();
    return { ...result, clean: clean ?? null, left_out_rows: leftOut?.path ?? null };
  } catch (error) {
    copy?.discard();
    leftOut?.discard();
    throw error;
  }
}

class DataCheck {
  private watchers: Watcher[] = [];
  private readonly clusters = new QueryClusters();
  private readonly words = new TextIndex();
  private readonly wordsOfQuery = new Integers();
  /** Side of each query: place in SPLITS plus 1, 0 for none. */
  private readonly sides = new Integers();
  private pairs = 0;
  private scoredPairs = 0;

  constructor(
    private readonly options: CheckOptions,
    private readonly copy: LineFile | undefined,
    private readonly report: Report,
  ) {}

  async run(): Promise<Omit<CheckResult, "clean" | "left_out_rows">> {
    const { source, format, scratch, scores: scoreFile, emit } = this.options;
    const limits = await this.limits();
    this.watchers = RULES.map((rule) => rule.watch(this.report.sayer(rule), limits));
    const scores = scoreFile === undefined ? undefined : await readScoreTable(scoreFile);
    emit({ type: "phase", name: "read labelled data" });
    const findings = forwardingFindings((problem) => this.each((watcher) => watcher.problem?.(problem)));
    const data = await openData(source, {
      format,
      findings,
      scratch,
      met: (text) => this.each((watcher) => watcher.text?.(text)),
    });
    try {
      await this.lookAt(data, scores);
    } finally {
      data.close();
    }
    const { severities, counts, leftOut } = this.report;
    return {
      source,
      form: data.format,
      queries: data.queryCount,
      pairs: this.pairs,
      scored_pairs: scores === undefined ? null : this.scoredPairs,
      severities,
      counts,
      findings: this.report.findings(RULES),
      left_out: leftOut,
    };
  }

  private async limits(): Promise<CheckLimits> {
    const { tokens } = this.options;
    if (tokens === undefined) return {};
    return { tokens: { tokenizer: await loadTokenizer(tokens.model), max_length: tokens.max_length } };
  }

  private async lookAt(data: StreamedData, scores: ScoreTable | undefined): Promise<void> {
    const { source, scratch, run: runFile } = this.options;
    data.meetUnjudged();
    const unlisted = takeCounted(data, source, (problem) => this.each((watcher) => watcher.problem?.(problem)));
    if (unlisted > 0) this.report.count(adjustedValue.name, adjustedValue.severity, unlisted);
    const run = runFile === undefined ? undefined : await RunTable.read(runFile, scratch, (id) => data.queryWithId(id));
    this.sayUnknown(run);
    try {
      await this.lookAtGroups(data, scores, run);
    } finally {
      run?.close();
    }
    this.options.emit({ type: "phase", name: "compare queries" });
    const whole = this.whole(data);
    this.each((watcher) => watcher.end?.(whole));
  }

  private sayUnknown(run: RunTable | undefined): void {
    if (run === undefined || run.unknown === 0) return;
    const message = `${run.unknown} rows name queries that the data does not have`;
    this.each((watcher) => watcher.problem?.({ file: run.file, message, kind: "run" }));
  }

  private async lookAtGroups(
    data: StreamedData,
    scores: ScoreTable | undefined,
    run: RunTable | undefined,
  ): Promise<void> {
    this.options.emit({ type: "phase", name: "check groups" });
    await eachGroup(data, this.options, (group) => {
      const checked = this.checked(group, scores, run);
      this.remember(group);
      this.each((watcher) => watcher.group?.(checked));
      if (group.passages.length > 0) this.copy?.add(canonicalLine(group));
    });
  }

  private checked(group: JudgedGroup, scores: ScoreTable | undefined, run: RunTable | undefined): CheckedGroup {
    const checked = checkedGroup(group, scores, run);
    this.pairs += checked.passages.length;
    this.scoredPairs += checked.passages.filter(({ score }) => score !== undefined).length;
    return checked;
  }

  private remember({ query }: JudgedGroup): void {
    this.clusters.add(query.text, []);
    this.wordsOfQuery.push(this.words.add(normalisedKey(query.text)));
    this.sides.push(query.split === undefined ? 0 : SPLITS.indexOf(query.split) + 1);
  }

  private whole(data: StreamedData): CheckedData {
    let firstAlike: ((number: number) => number) | undefined;
    return {
      source: this.options.source,
      form: data.format,
      queries: data.queryCount,
      pairs: this.pairs,
      query: (number) => data.queryAt(number),
      splitOf: (number) => SPLITS[this.sides.at(number) - 1],
      wordsOf: (number) => this.wordsOfQuery.at(number),
      firstAlike: () => {
        if (firstAlike === undefined) {
          const clusters = this.clusters.nearDuplicates();
          firstAlike = (number) => clusters.find(number);
        }
        return firstAlike;
      },
    };
  }

  private each(show: (watcher: Watcher) => void): void {
    for (const watcher of this.watchers) show(watcher);
  }
}
