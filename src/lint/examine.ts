// All rules over the facts of one folder. Pure.
import type { FolderFacts } from "./facts.js";
import { CONSUMERS, type FullFinding } from "./rule.js";
import { RULES } from "./rules/index.js";

/** What every rule found, in the order of the table of rules. */
export function examine(facts: FolderFacts): FullFinding[] {
  return RULES.flatMap((rule) =>
    rule.check(facts).map((found) => {
      const concerned = found.consumers ?? rule.consumers;
      return {
        rule: rule.id,
        severity: found.severity ?? rule.severity,
        file: found.file ?? null,
        message: found.message,
        fix: found.fix,
        consumers: CONSUMERS.filter((name) => concerned.includes(name)),
        fixable: found.edit !== undefined,
        unread: found.unread ?? false,
        takenFor: found.takenFor ?? null,
        edit: found.edit ?? null,
      };
    }),
  );
}
