// Lints a folder or a repository of the Hub: facts, rules, verdicts, and fixes where they are asked for.

import { existsSync } from "node:fs";
import type { RepositoryOptions } from "../hub/repository.js";
import { type Verdict, verdicts } from "./consumers.js";
import { examine } from "./examine.js";
import type { FolderFacts } from "./facts.js";
import { type Fixed, fixedFacts, refusePackageFix, writeFixes } from "./fix.js";
import { HUB_ID, hubSource, refuseHubFix } from "./hub-source.js";
import { readFolder } from "./read-folder.js";
import type { ConsumerName, Finding, FullFinding } from "./rule.js";
import { type FolderSource, localSource } from "./source.js";

export interface LintOptions {
  /** Folder, or owner/name[@revision] when there is no such folder. */
  name: string;
  /** Consumers that decide; all of them when empty. */
  deciding: readonly ConsumerName[];
  fix: boolean;
  signal: AbortSignal;
  /** Bounds and address of the Hub; tests set them. */
  hub?: Partial<RepositoryOptions>;
}

export interface LintReport {
  folder: string;
  consumers: Verdict[];
  findings: Finding[];
  /** What --fix changed; empty without it. */
  fixed: Fixed[];
  /** Consumers that decide and do not load it as a reranker. */
  refused_by: ConsumerName[];
}

/**
 * @throws RerankTuneError MODEL_NOT_FOUND; HUB_NOT_FOUND, HUB_UNAUTHORIZED, DOWNLOAD_FAILED; USAGE for a fix of what is not to be
 * written; NOT_WRITABLE.
 */
export async function lintFolder(options: LintOptions): Promise<LintReport> {
  const { fix, signal } = options;
  const isHub = !existsSync(options.name) && HUB_ID.test(options.name);
  if (isHub && fix) refuseHubFix(options.name);
  const source = await sourceOf(options, isHub);
  const before = await readFolder(source, signal);
  if (!fix) return report(before, options, []);
  if (examine(before).some(({ fixable }) => fixable)) refusePackageFix(before);
  const { facts, done } = fixedFacts(before);
  await writeFixes(before, facts);
  return report(facts, options, done);
}

function sourceOf({ name, signal, hub }: LintOptions, isHub: boolean): Promise<FolderSource> {
  return isHub ? hubSource(name, { ...hub, signal }) : localSource(name);
}

function report(facts: FolderFacts, { deciding }: LintOptions, fixed: Fixed[]): LintReport {
  const findings = examine(facts);
  const consumers = verdicts(facts, findings);
  const refusing = consumers.filter(({ loads }) => loads === "no").map(({ name }) => name);
  return {
    folder: facts.name,
    consumers,
    findings: findings.map(shown),
    fixed,
    refused_by: refusing.filter((name) => deciding.length === 0 || deciding.includes(name)),
  };
}

function shown({ takenFor: _, edit: __, ...finding }: FullFinding): Finding {
  return finding;
}
