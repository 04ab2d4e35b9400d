import { describe, expect, test } from "vitest";
import { html } from "../../../src/page/markup.js";
import { duration, points, short, size } from "../../../src/page/numbers.js";
import type { ReportData, Thresholds, Training } from "../../../src/report/data.js";
import { GENERATOR, renderReport } from "../../../src/report/page.js";
import { summaryOf } from "../../../src/report/summary.js";
import type { TeiGpuReport } from "../../../src/stages/verify/schema.js";
import { TRIM_REPORT } from "../../helpers/trim-report.js";
import { reportData, verdict } from "./report-data.js";

const page = renderReport(reportData);
const text = (markup: string) =>
  markup
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");
const withData = (changes: Partial<ReportData>) => renderReport({ ...reportData, ...changes });
const missing = (sentence: string) => ({ missing: sentence });

describe("the page", () => {
  test("loads nothing and runs nothing", () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\(|https?:|\son\w+=/i);
    expect(page).toContain("default-src &#39;none&#39;");
  });

  test("is the same for the same data", () => {
    expect(renderReport(structuredClone(reportData))).toBe(page);
  });

  test("names its maker near the top", () => {
    expect(page.slice(0, 512)).toContain(GENERATOR);
  });

  test("opens and closes its elements in order, and uses each id once", () => {
    expect(unbalanced(page)).toEqual([]);
    const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    const used = [...page.matchAll(/aria-labelledby="([^"]+)"/g)].flatMap((match) => (match[1] as string).split(" "));
    expect(used.filter((id) => !ids.includes(id))).toEqual([]);
  });

  test("gives every picture a title and a description", () => {
    const pictures = page.match(/<svg.*?<\/svg>/gs) ?? [];
    expect(pictures).toHaveLength(7);
    for (const picture of pictures)
      expect(picture).toMatch(/<title id="[^"]+">[^<]+<\/title><desc id="[^"]+">[^<]+<\/desc>/);
  });

  test("shows no value that is not a number", () => {
    expect(page).not.toMatch(/NaN|Infinity|undefined|null|\[object/);
  });

  test("shows the int8 graphs that were tried and which was kept; no table without them", () => {
    expect(text(page)).toContain("static smoothed token tables score error a pair size");
    expect(text(page)).toContain("1 40 5 3 fp16 4.8 % 12.3 ms 55.6 MB");
    expect(text(page)).toContain("2 40 5 3 int8 4.9 % 39.4 MB kept");
    expect(text(withData({ making: { ...reportData.making, int8: [] } }))).not.toContain("int8 graphs tried");
  });

  test("shows what the graphs score in TEI's runtime, where that was there", () => {
    expect(text(page)).toContain("int8 4.6 % 0.012");
    const without = withData({ making: { ...reportData.making, tei_runtime: null } });
    expect(text(without)).not.toContain("Text Embeddings Inference embeds");
  });

  test("shows what OpenVINO makes of the fp32 graph where that was asked for", () => {
    expect(text(page)).toContain("bf16 1.4 % 0.015 115.7 ms");
    expect(text(withData({ making: { ...reportData.making, openvino: null } }))).not.toContain("OpenVINO");
  });

  test("shows what left the vocabulary, and for which texts that is proven; no table without it", () => {
    const words = text(withData({ making: { ...reportData.making, trim: TRIM_REPORT } }));
    expect(words).toContain("1,200 texts are proven to be cut as before; and all texts in the letters of de, fr");
    expect(words).toContain("pieces 250,002 94,207 weights of the base 2.27 GB 1.63 GB");
    expect(words).toContain("tokens of unseen texts 9,000 9,100 known letters, Han 8,100 100");
    expect(words).not.toContain("letters, Latin");
    expect(text(page)).not.toContain("Vocabulary, trimmed");
  });

  test("escapes names wherever they stand", () => {
    const evil = `<b onclick="x">'&`;
    const data: ReportData = {
      ...reportData,
      recipe: evil,
      verdict: { ...verdict, slices: verdict.slices.map((slice) => ({ ...slice, name: evil })) },
      gains: { ...(reportData.gains as object), queries: [{ id: evil, gain: 0.5 }] } as ReportData["gains"],
      making: { ...reportData.making, base: evil, host: evil, options: [[evil, evil]], tools: [[evil, evil]] },
    };
    const rendered = renderReport(data);
    expect(rendered).not.toContain("<b onclick");
    expect(rendered).toContain("&lt;b onclick=&quot;x&quot;&gt;&#39;&amp;");
    expect(unbalanced(rendered)).toEqual([]);
  });
});

describe("the verdict on top", () => {
  test("is one sentence in points, with all it rests on", () => {
    expect(text(page)).toContain(
      "Take the tuned model A significant gain: NDCG@10 +6.50 points (95 % interval [+1.00, +12.00]) against the first stage over 4 test queries with the same candidates, p = 0.012 by the paired sign-flip test. 2 queries got better, 1 stayed equal, 1 got worse. A true difference of 7.91 points would be found four times in five.",
    );
  });

  test("counts clusters beside queries where some queries are not independent", () => {
    const clustered = { ...verdict.comparison, clusters: 3 };
    const slices = verdict.slices.map((slice) => ({ ...slice, clusters: 1200 }));
    const gains = { ...(reportData.gains as object), comparison: clustered } as ReportData["gains"];
    const words = text(withData({ verdict: { ...verdict, comparison: clustered, slices }, gains }));
    expect(words).toContain("over 4 test queries in 3 clusters with the same candidates");
    expect(words).toContain("were resampled as one.");
    expect(words).toContain("of 4 test queries in 3 clusters");
    expect(words).toContain("language: de 40 in 1,200 clusters");
    expect(words).toContain("slices of fewer than 30 queries or clusters have none.");
    expect(text(page)).not.toContain("cluster");
  });

  test("warns of keeping the base in words", () => {
    const kept = withData({ verdict: { ...verdict, outcome: "worse", against: "base", advice: "keep the base" } });
    expect(text(kept)).toContain("Keep the base A significant loss: NDCG@10 +6.50 points");
    expect(kept).toContain('class="verdict keep"');
  });

  test("tells of a student what it keeps of its teacher", () => {
    const gate = { gate: "student_max_drop", outcome: "passed" as const, measured: 0.065, limit: -0.01, detail: "" };
    const student = {
      kept_layers: [0, 5],
      teacher_layers: 6,
      share: 0.98,
      share_interval: [0.97, 0.99],
      gate,
    } as const;
    const taken = withData({
      verdict: {
        ...verdict,
        outcome: "within_limit",
        advice: "take the student",
        student: { ...student, kept_layers: [0, 5], share_interval: [0.97, 0.99] },
      },
    });
    expect(text(taken)).toContain(
      "Take the student Within the allowed loss of 1.00 points: with 2 of 6 layers it keeps 98.00 % of the teacher&#39;s NDCG@10 (95 % interval [97.00, 99.00] %).",
    );
    expect(taken).toContain('class="verdict take"');
  });

  test("says what did not pass, a drop of NDCG in points", () => {
    const open = {
      subject: "int8 on cpu",
      gate: "ndcg_max_drop",
      outcome: "failed",
      measured: -0.0212,
      limit: -0.005,
    } as const;
    expect(text(withData({ open_gates: [open] }))).toContain("int8 on cpu ndcg max drop failed \u22122.12 \u22120.50");
  });
});

describe("the tables", () => {
  test("of quality show metrics times 100 with two decimals, and a dash where nothing was measured", () => {
    const words = text(page);
    expect(words).toContain("first stage 36.00 [31.00, 41.00] 30.00 50.00 – –");
    expect(words).toContain("tuned 42.50 [37.50, 47.50] 30.00 50.00 279 90.9 MB");
    expect(words).toContain("int8* 42.80 [37.80, 47.80] 30.00 50.00 847 35.3 MB passed");
    expect(words).toContain("measured on fewer queries: int8 on 150.");
  });

  test("of slices name the loss, and have no p-value for few queries", () => {
    expect(text(page)).toContain("language: de 40 \u22123.12 [\u22125.00, \u22121.00] 0.002 worse");
    expect(text(page)).toContain("language: fr 12 +8.00 [0.00, +20.00] –");
  });

  test("of training mark the kept step", () => {
    expect(page).toMatch(/<tr class="strong"><th scope="row">50<\/th><td class="number">40\.00<\/td>/);
  });

  test("of mixtures name what was kept and what a guard set forbids", () => {
    const words = text(page);
    expect(words).toContain("tuned share dev NDCG@10 points guard set, points");
    expect(words).toContain("0 (the base) 20.00 – –");
    expect(words).toContain("0.5 35.00 +15.00 \u22120.50 kept");
    expect(words).toContain("1 (as trained) 40.00 +20.00 \u22127.00 loses too much on a guard set");
    expect(words).toContain("A mixture may lose at most 1.00 points on a guard set.");
    expect(page).toContain('<tr class="strong"><th scope="row">0.5</th>');
  });

  test("name each seed and what was kept of them", () => {
    const training = reportData.training as Training;
    const runs = [
      { seed: 7, dev_ndcg: 0.5 },
      { seed: 8, dev_ndcg: null },
      { seed: 9, dev_ndcg: 0.504 },
    ];
    const said = (seeds: Training["seeds"]) => text(withData({ training: { ...training, seeds } }));
    expect(said({ runs, best_seed: 9, averaged: [7, 9], kept: "average" })).toContain(
      "7 50.00, 8 collapsed, 9 50.40; the average of seeds 7, 9 was kept, the figures show seed 9.",
    );
    expect(said({ runs, best_seed: 9, averaged: [], kept: "seed" })).toContain("; seed 9 was kept");
    expect(said(null)).not.toContain("of the seeds");
  });

  test("of mixtures are absent where nothing was mixed, and number several guard sets", () => {
    const training = reportData.training as Training;
    const mixed = (sweep: Training["sweep"]) => text(withData({ training: { ...training, sweep } }));
    expect(mixed(null)).not.toContain("Mixtures of tuned and base weights");
    const mixtures = [0, 1].map((alpha) => ({ alpha, dev_ndcg: 0.2, guards: [0.5, 0.6], within_guards: true }));
    const two = mixed({ queries: 3, guard_max_drop: 0.01, mixtures, chosen_alpha: 0 });
    expect(two).toContain("guard set 1, points guard set 2, points");
    const none = mixtures.map((mixture) => ({ ...mixture, guards: [] }));
    expect(mixed({ queries: 3, guard_max_drop: 0.01, mixtures: none, chosen_alpha: 0 })).toContain("only dev chose");
  });

  test("of thresholds have counts, shares and intervals, and a dash over nothing", () => {
    const words = text(page);
    expect(words).toContain("0.50 8 40.00 % 6 75.00 [40.93, 92.85] 100.00 [60.97, 100.00]");
    expect(words).toContain("0.90 0 0.00 % 0 – 0.00 [0.00, 39.03]");
    expect(words).toContain("The scores are not calibrated: a threshold is no probability here");
  });

  test("of thresholds say what a threshold is once scores are calibrated, and that none is of use where nothing is kept", () => {
    const thresholds = reportData.thresholds as Thresholds;
    expect(text(withData({ thresholds: { ...thresholds, calibrated: true } }))).toContain(
      "a threshold is the least probability that a kept passage has",
    );
    const rows = thresholds.rows.slice(1);
    expect(text(withData({ thresholds: { ...thresholds, rows } }))).toContain("no threshold of this table is of use");
  });

  test("of quality say what TEI changes on a GPU, where it was scored", () => {
    expect(text(page)).toContain("TEI on a GPU (approximation on this machine)");
    expect(text(page)).toContain("7 queries 700 1.23 % \u22120.11 [\u22120.40, +0.20] 3");
    expect(text(withData({ tei_gpu: null }))).not.toContain("TEI on a GPU");
    const broken = { ...(reportData.tei_gpu as TeiGpuReport), not_finite: 5, relative_error: null };
    expect(text(withData({ tei_gpu: broken }))).toContain("5 not finite");
  });

  test("of latency and reliability have their figures", () => {
    expect(text(page)).toContain("int8 cpu 50 36.6 17 97.1 124.2 –");
    expect(text(page)).toContain("0.8000 0.500 [0.237, 0.763] 10");
    expect(text(page)).toContain("fp16 on cuda: CUDA 98.0 %, CPU 2.0 %.");
  });
});

describe("the sentence on training", () => {
  const told = (changes: object) =>
    text(withData({ training: { ...(reportData.training as object), ...changes } as ReportData["training"] }));

  test("says how it ended and what was kept", () => {
    expect(text(page)).toContain(
      "Training stopped early: the last evaluations brought no gain. The weights of step 50 of 100 were kept. 3 min 25 s of optimizer steps; 5,959 tokens/s; 2.58 GB peak memory; 22.7 M parameters; cpu, bf16.",
    );
    expect(told({ best_step: 0 })).toContain(
      "No evaluation was better than the base by half a standard error, so its weights were kept.",
    );
  });

  test("says what was mixed with the base", () => {
    expect(told({ interpolation: { alpha: 0.7, dev_ndcg: 0.4123 } })).toContain(
      "The weights of step 50 of 100 were kept, mixed with those of the base: 0.7 tuned and 0.3 base, dev NDCG@10 41.23.",
    );
    expect(told({ best_step: 0, interpolation: { alpha: 0, dev_ndcg: 0.2 } })).toContain(
      "No mixture of tuned and base weights was better",
    );
  });
});

describe("a part that is missing", () => {
  test("is left out with a sentence, and the rest stands", () => {
    const sparse = withData({
      training: missing("No history."),
      verdict: missing("Run `rerank-tune verify` first."),
      quality: missing("No quality."),
      gains: missing("No gains."),
      scores: missing("No scores."),
      reliability: missing("No reliability."),
      thresholds: missing("No thresholds."),
      latency: missing("No latency."),
    });
    expect(sparse).not.toContain("<svg");
    for (const word of ["history", "quality", "gains", "scores", "reliability", "thresholds", "latency"])
      expect(text(sparse)).toContain(`No ${word}.`);
    expect(sparse).toContain("Run <code>rerank-tune verify</code> first.");
    expect(text(sparse)).toContain("No verdict yet");
    expect(text(sparse)).toContain("How it was made");
    expect(unbalanced(sparse)).toEqual([]);
  });

  test("does not take the tuned model's scores along when only those of the base lack", () => {
    expect(text(page)).toContain("The base has no scores.");
    expect(page).toContain('id="scores-tuned-title"');
    expect(page).not.toContain('id="scores-base-title"');
  });

  test("is listed in the summary, whose other figures stay", () => {
    const summary = summaryOf({ ...reportData, latency: missing("No latency.") });
    expect(summary.missing).toEqual([{ part: "latency", reason: "No latency." }]);
    expect(summary).toMatchObject({
      verdict: { outcome: "improved" },
      training: { best_step: 50, dev_ndcg: { base: 0.2, best: 0.4 } },
      calibration: [{ system: "tuned", ece: 0.1234 }],
      thresholds: { relevant: 6, rows: [{ threshold: 0.5, kept: 8 }, { kept: 0 }] },
    });
    expect(JSON.stringify(summary)).not.toContain("q1");
  });
});

describe("calibration", () => {
  const [only] = reportData.reliability as Extract<ReportData["reliability"], unknown[]>;

  test("stands before and after side by side, with both in one table", () => {
    const both = withData({
      reliability:
        only === undefined
          ? []
          : [
              { ...only, system: "tuned, before calibration" },
              { system: "tuned, after calibration", calibration: { ...only.calibration, ece: 0.0123, brier: 0.0456 } },
            ],
    });
    expect(text(both)).toContain("Tuned model, before calibration 20 30.00 % 0.1234 0.2345");
    expect(text(both)).toContain("Tuned model, after calibration 20 30.00 % 0.0123 0.0456");
    expect(text(both)).not.toContain("This model was not calibrated.");
    expect(text(page)).toContain("This model was not calibrated.");
  });
});

describe("numbers", () => {
  test("carry their sign, and none where they round to 0", () => {
    expect([0.065, -0.0312, 0.00001, -0.00001, 0].map(points)).toEqual(["+6.50", "\u22123.12", "0.00", "0.00", "0.00"]);
  });

  test("are short at any size", () => {
    expect([0.0002, 7.874e-7, 12.345, 0, -0.5, 847.4].map(short)).toEqual([
      "2e-4",
      "7.87e-7",
      "12.3",
      "0",
      "\u22120.5",
      "847",
    ]);
    expect([0, 999, 90_866_412, 2_582_925_312].map(size)).toEqual(["0 B", "999 B", "90.9 MB", "2.58 GB"]);
    expect([0.31, 8.24, 205.4, 3725].map(duration)).toEqual(["0.31 s", "8.2 s", "3 min 25 s", "1 h 02 min"]);
  });
});

describe("markup", () => {
  test("escapes texts and attributes, and leaves markup of its own alone", () => {
    const inner = html`<i title="${'a"b'}">${"<&>"}</i>`;
    expect(html`<p>${[inner, 5, undefined, null, false]}</p>`.markup).toBe(
      '<p><i title="a&quot;b">&lt;&amp;&gt;</i>5</p>',
    );
  });

  test("replaces characters that HTML forbids", () => {
    expect(html`${"a\u0000b\nc\ud800"}`.markup).toBe("a\ufffdb c\ufffd");
  });
});

const VOID = new Set(["meta", "br", "!doctype"]);

/** Elements that are closed out of order or not at all. */
function unbalanced(markup: string): string[] {
  const open: string[] = [];
  const wrong: string[] = [];
  for (const [, close, name, rest] of markup.matchAll(/<(\/?)([!a-zA-Z][\w-]*)([^>]*)>/g)) {
    if (close === "/") {
      if (open.pop() !== name) wrong.push(`</${name}>`);
    } else if (!VOID.has((name as string).toLowerCase()) && rest?.endsWith("/") !== true) open.push(name as string);
  }
  return [...wrong, ...open];
}
