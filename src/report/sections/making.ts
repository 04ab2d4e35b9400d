// How the results came about: data, stages with their digests, options, versions, machine.

import { type Content, html, type Markup } from "../../page/markup.js";
import { count, duration, size, time } from "../../page/numbers.js";
import type { TrimReport } from "../../trim/schema.js";
import type { DataCounts, ReportData, StageRecord } from "../data.js";
import { ladderTable, openvinoTable, teiRuntimeTable } from "./ladder.js";
import { folded, section, table } from "./parts.js";

/** Characters of a digest that are shown, as in the names of the artifact folders. */
const SHOWN_DIGEST = 12;

export function makingSection({ making }: ReportData): Markup {
  const { base, data, stages, trim, int8, tei_runtime, openvino, options, tools, host } = making;
  const introduction = `${base === null ? "" : `Started from ${base}. `}Made on ${host}. The key names the artifact folder; the digest is the sha256 of what it holds.`;
  return section("making", "How it was made", introduction, [
    data === null ? undefined : dataTable(data),
    stageTable(stages),
    trim === null ? undefined : trimTable(trim),
    int8.length === 0 ? undefined : ladderTable(int8),
    tei_runtime === null ? undefined : teiRuntimeTable(tei_runtime),
    openvino === null ? undefined : openvinoTable(openvino),
    folded("Options of the recipe", definitions("Options of the recipe", options)),
    folded(
      "Versions",
      definitions(
        "Versions",
        tools.map(([name, value]) => [name, shortened(value)]),
      ),
    ),
  ]);
}

function dataTable({ queries, pairs, first_stage }: DataCounts): Markup {
  const caption = `Data${first_stage === null ? "" : `; first stage ${first_stage}`}`;
  const rows = (["train", "dev", "test"] as const).map((split) => [split, count(queries[split]), count(pairs[split])]);
  return table({ caption, shown: true, head: ["split", "queries", "pairs"], rows });
}

function stageTable(stages: readonly StageRecord[]): Markup {
  const rows = stages.map(({ name, started, seconds, key, digest }) => [
    name,
    time(started),
    duration(seconds),
    code(key),
    code(digest),
  ]);
  return table({
    caption: "Stages",
    shown: true,
    head: ["stage", "started", "took", "key", "digest"],
    rows,
    left: [1, 3, 4],
  });
}

/** Sizes in the table; what the smaller vocabulary means for texts in the words below it. */
function trimTable({ pieces, weights, texts, languages, letters, unseen }: TrimReport): Markup {
  const lost = letters.filter((script) => script.lost > 0);
  const rows = [
    ["pieces", count(pieces.before), count(pieces.after)],
    ["weights of the base", size(weights.before), size(weights.after)],
    ...(unseen === null ? [] : [["tokens of unseen texts", count(unseen.tokens.before), count(unseen.tokens.after)]]),
    ...lost.map(({ script, known, lost: missing }) => [
      `known letters, ${script}`,
      count(known),
      count(known - missing),
    ]),
  ];
  const words = [
    `${count(texts)} texts are proven to be cut as before`,
    ...(languages.length === 0 ? [] : [`and all texts in the letters of ${languages.join(", ")}`]),
    ...(unseen === null
      ? []
      : [`of ${count(unseen.texts)} unseen texts ${count(unseen.cut_otherwise)} are cut otherwise`]),
  ];
  return table({
    caption: `Vocabulary, trimmed; ${words.join("; ")}`,
    shown: true,
    head: ["", "before", "after"],
    rows,
  });
}

const code = (digest: string): Markup => html`<code title="${digest}">${digest.slice(0, SHOWN_DIGEST)}</code>`;
const shortened = (value: string): string => (/^[0-9a-f]{64}$/.test(value) ? value.slice(0, SHOWN_DIGEST) : value);

function definitions(caption: string, entries: readonly (readonly [string, string])[]): Content {
  return table({ caption, head: ["name", "value"], rows: entries, left: [1] });
}
