// The tables of quality, slices and latency.
import { sharesText } from "../../inference/provider-shares.js";
import { type Content, html, type Markup } from "../../page/markup.js";
import { count, interval, percent, points, short, size } from "../../page/numbers.js";
import { inClusters } from "../../ranking/clusters.js";
import { probabilityText } from "../../ranking/significance.js";
import type { SliceReport } from "../../ranking/slices.js";
import type { TeiGpuReport } from "../../stages/verify/schema.js";
import { isMissing, type Latency, type QualityLine, type ReportData } from "../data.js";
import { missingSection, section, table, words } from "./parts.js";

const NONE = "–";

export function qualitySection({ quality, tei_gpu }: ReportData): Markup {
  const heading = "Quality on the test split";
  if (isMissing(quality)) return missingSection("quality", heading, quality.missing);
  const queries = quality.map((line) => line.quality?.queries ?? 0).reduce((most, value) => Math.max(most, value), 0);
  const clusters = quality.find((line) => line.quality?.queries === queries)?.quality?.clusters;
  const introduction = `All systems rank the same candidates of ${count(queries)} queries${inClusters({ clusters }, count)}; metrics times 100. fp32, int8 and fp16 are the ONNX files as they are served, executed.`;
  const head = ["", "NDCG@10", "95 % interval", "MRR@10", "Recall@5", "pairs/s", "size", "gates"];
  const rows = quality.map((line) => qualityRow(line, queries));
  return section("quality", heading, introduction, [
    table({ caption: "Quality, speed and size", head, rows, left: [7] }),
    fewerQueries(quality, queries),
    tei_gpu === null ? undefined : teiGpuTable(tei_gpu),
  ]);
}

/** That server opens no ONNX file on a GPU, so that no row of the table above says what it answers. */
function teiGpuTable(report: TeiGpuReport): Markup {
  const { arithmetic, queries, pairs, not_finite, relative_error, top1_flips, ndcg_difference } = report;
  return table({
    caption: `TEI on a GPU (approximation on this machine): model.safetensors in float16 with tanh-GELU, computed in ${arithmetic}, against the tuned model; score error as a share of the scores' spread`,
    shown: true,
    head: ["", "pairs", "score error", "NDCG@10", "95 % interval", "other best passage"],
    rows: [
      [
        `${count(queries)} queries`,
        count(pairs),
        not_finite > 0
          ? `${count(not_finite)} not finite`
          : relative_error === null
            ? NONE
            : `${percent(relative_error)} %`,
        points(ndcg_difference.mean),
        interval(ndcg_difference.interval, points),
        count(top1_flips),
      ],
    ],
  });
}

function qualityRow({ name, quality, pairs_per_second, bytes, outcome }: QualityLine, queries: number): Content[] {
  const metric = (value: number | undefined) => (value === undefined ? NONE : percent(value));
  const star = quality !== null && quality.queries < queries ? "*" : "";
  return [
    `${words(name)}${star}`,
    metric(quality?.["ndcg@10"]),
    quality === null ? NONE : interval(quality["ndcg@10_interval"]),
    metric(quality?.["mrr@10"]),
    metric(quality?.["recall@5"]),
    pairs_per_second === null ? NONE : short(pairs_per_second),
    bytes === null ? NONE : size(bytes),
    outcome ?? "",
  ];
}

function fewerQueries(lines: readonly QualityLine[], queries: number): Content {
  const fewer = lines.filter(({ quality }) => quality !== null && quality.queries < queries);
  if (fewer.length === 0) return undefined;
  const names = fewer.map(({ name, quality }) => `${words(name)} on ${count(quality?.queries ?? 0)}`).join(", ");
  return html`<p class="footnote">* slow on this machine, so measured on fewer queries: ${names}.</p>`;
}

export function slicesSection({ verdict }: ReportData): Markup {
  const heading = "Slices";
  if (isMissing(verdict)) return missingSection("slices", heading, verdict.missing);
  const { slices, against } = verdict;
  if (slices.length === 0)
    return missingSection(
      "slices",
      heading,
      "All test queries are alike in language, length and source: there are no slices.",
    );
  const introduction = `Tuned model minus ${words(against)}, by kind of query, in points of NDCG@10. p-values are corrected for the number of slices (Holm); slices of fewer than 30 queries${slices.some(({ clusters }) => clusters !== undefined) ? " or clusters" : ""} have none. Sources stand under numbers, in the order of verify's own report.`;
  const head = ["slice", "queries", "points", "95 % interval", "p", ""];
  return section(
    "slices",
    heading,
    introduction,
    table({ caption: "Difference by slice", head, rows: slices.map(sliceRow), left: [5] }),
  );
}

function sliceRow({
  by,
  name,
  queries,
  clusters,
  mean,
  interval: edges,
  p_holm,
  significant_loss,
}: SliceReport): Content[] {
  const probability = p_holm === null ? NONE : probabilityText(p_holm);
  return [
    `${words(by)}: ${name}`,
    `${count(queries)}${inClusters({ clusters }, count)}`,
    points(mean),
    interval(edges, points),
    probability,
    significant_loss ? "worse" : "",
  ];
}

export function latencySection({ latency }: ReportData): Markup {
  const heading = "Latency";
  if (isMissing(latency)) return missingSection("latency", heading, latency.missing);
  if (latency.rows.length === 0) return missingSection("latency", heading, "Verify measured no latency.");
  const head = ["variant", "on", "candidates", "tokens a pair", "requests", "p50 ms", "p95 ms", "p99 ms"];
  const rows = latency.rows.map((row) => [
    row.variant,
    row.provider,
    count(row.candidates),
    row.tokens_per_pair.toFixed(1),
    count(row.samples),
    row.p50_ms.toFixed(1),
    row.p95_ms.toFixed(1),
    row.p99_ms?.toFixed(1) ?? NONE,
  ]);
  return section("latency", heading, machineSentence(latency), [
    table({ caption: "Milliseconds a request", head, rows, left: [1] }),
    nodesSentence(latency),
  ]);
}

/** From a profile of one batch: a provider that opened may have left nodes to the CPU. */
function nodesSentence({ nodes }: Latency): Content {
  if (nodes.length === 0) return undefined;
  const each = nodes.map(({ variant, provider, nodes: shares }) => `${variant} on ${provider}: ${sharesText(shares)}`);
  return html`<p class="footnote">Nodes by the execution provider that ran them, ${each.join("; ")}.</p>`;
}

function machineSentence({ machine }: Latency): string {
  const { cpu, cores, threads, onnxruntime, node } = machine;
  const of = threads === 0 ? "one thread a physical core" : `${threads} thread${threads === 1 ? "" : "s"}`;
  return `One request scores all candidates of one query, tokenizing included, after warming up. ${cpu}, ${cores} cores, ${of}, onnxruntime ${onnxruntime}, Node ${node}. p99 is given from 100 requests up.`;
}
