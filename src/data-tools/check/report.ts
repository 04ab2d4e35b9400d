// Collects what the rules say: counts everything, lists the first of each rule, and names every row left out of a cleaned copy.
import type { LineFile } from "../reading/line-file.js";
import type { Rule, Say, Severity } from "./rule.js";

/** More of one rule is counted only, so that a broken file of a million rows still gives a report. */
export const LISTED_PER_RULE = 1000;

export interface Finding {
  rule: string;
  severity: Severity;
  file: string | null;
  line: number | null;
  path: string | null;
  message: string;
}

export class Report {
  readonly counts: Record<string, number> = {};
  readonly severities: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  leftOut = 0;
  private readonly listed = new Map<string, Finding[]>();

  /** @param leftOutRows takes a line for every row that a cleaned copy lacks. */
  constructor(private readonly leftOutRows?: LineFile) {}

  /** What a rule calls to report. */
  sayer({ name, severity: usual }: Rule): Say {
    return ({ file, line, path }, message, { left_out = false, severity = usual } = {}) => {
      const finding = { rule: name, severity, file: file ?? null, line: line ?? null, path: path ?? null, message };
      this.count(name, severity, 1);
      const list = this.listed.get(name) ?? [];
      this.listed.set(name, list);
      if (list.length < LISTED_PER_RULE) list.push(finding);
      if (!left_out) return;
      this.leftOut += 1;
      this.leftOutRows?.add(JSON.stringify({ file, line, path, rule: name, reason: message }));
    };
  }

  /** Counts findings that nobody lists. */
  count(rule: string, severity: Severity, findings: number): void {
    this.counts[rule] = (this.counts[rule] ?? 0) + findings;
    this.severities[severity] += findings;
  }

  /** Listed findings, rule after rule. */
  findings(rules: readonly Rule[]): Finding[] {
    return rules.flatMap(({ name }) => this.listed.get(name) ?? []);
  }
}
