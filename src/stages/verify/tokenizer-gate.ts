// Our token ids against the Rust ids of the golden pairs, and the rule for texts the JavaScript library is known to read differently.
import type { PairTokenizer } from "../../inference/tokenizer.js";
import type { GoldenPairs } from "../../model-folder/layout.js";
import type { GateResult, VerifyOutput } from "./schema.js";

export type TokenizerReport = VerifyOutput["tokenizer"];

/** JavaScript counts it as white space, Rust does not: any splitter on white space differs. */
const BYTE_ORDER_MARK = "\ufeff";

/** Encodes every golden pair again and names those whose ids differ. */
export function compareTokenIds(tokenizer: PairTokenizer, golden: GoldenPairs): TokenizerReport {
  const differing = golden.pairs.filter((pair) => {
    const { ids } = tokenizer.encodePair(pair.query, pair.passage, golden.max_length);
    return ids.length !== pair.input_ids.length || ids.some((id, index) => id !== pair.input_ids[index]);
  });
  const excused = (text: string) => text.includes(BYTE_ORDER_MARK) || (!tokenizer.exactNormalizer && isExotic(text));
  const exotic = differing.filter((pair) => excused(pair.query + pair.passage));
  const ordinary = differing.filter((pair) => !exotic.includes(pair));
  const names = (pairs: typeof differing) => pairs.map(({ name }) => name);
  return { pairs: golden.pairs.length, mismatches: differing.length, ordinary: names(ordinary), exotic: names(exotic) };
}

/**
 * Texts that a `Precompiled` character map may change in a way the JavaScript library does not follow: control and format
 * characters, and anything NFKC changes (decomposed letters, compatibility characters with marks; onnx.md §1.3).
 */
export function isExotic(text: string): boolean {
  return text.normalize("NFKC") !== text || /(?![\t\n\r])[\p{Cc}\p{Cf}]/u.test(text);
}

/** Decision 3: a difference on ordinary text fails; one on exotic text alone leaves the gate inconclusive. */
export function tokenizerGate(report: TokenizerReport): GateResult {
  const outcome = report.ordinary.length > 0 ? "failed" : report.exotic.length > 0 ? "inconclusive" : "passed";
  const missed = report.ordinary.length > 0 ? { missed_by: report.ordinary.length } : {};
  const named = [...report.ordinary, ...report.exotic.map((name) => `${name} (exotic Unicode)`)].join(", ");
  const detail =
    named === ""
      ? `${report.pairs} golden pairs have the ids of the Rust tokenizer`
      : `golden pairs with other ids than Rust: ${named}`;
  return { gate: "tokenizer_ids", outcome, measured: report.mismatches, limit: 0, ...missed, detail };
}
