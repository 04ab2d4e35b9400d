import { describe, expect, test } from "vitest";
import { gainBars, MOST_BARS, thinned } from "../../../src/report/charts/gain-bars.js";
import { histogram, histogramBins } from "../../../src/report/charts/histogram.js";
import { lineChart } from "../../../src/report/charts/line-chart.js";
import { reliabilityDiagram, reliabilityEnd } from "../../../src/report/charts/reliability-diagram.js";
import { linearScale, roundStep } from "../../../src/report/charts/scale.js";

const named = { id: "chart", title: "A title", description: "In words." };
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((match) => match.slice(1));

describe("a scale", () => {
  test("moves its ends out to round values", () => {
    const scale = linearScale(0.13, 0.42, [100, 0]);
    expect(scale.domain).toEqual([0.1, 0.5]);
    expect(scale.ticks).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect([scale.at(0.1), scale.at(0.3), scale.at(0.5)].map(Math.round)).toEqual([100, 50, 0]);
  });

  test("keeps exact ends and shows the round values between them", () => {
    const scale = linearScale(0, 282, [0, 282], { exact: true, ticks: 6 });
    expect(scale.domain).toEqual([0, 282]);
    expect(scale.ticks).toEqual([0, 50, 100, 150, 200, 250]);
  });

  test("has room around a single value, zero included", () => {
    expect([linearScale(4, 4, [0, 1]).domain, linearScale(0, 0, [0, 1]).domain]).toEqual([
      [2, 6],
      [-1, 1],
    ]);
  });

  test("steps by 1, 2 or 5 times a power of ten", () => {
    expect([0.011, 1, 1.1, 3, 7, 0.2].map(roundStep)).toEqual([0.02, 1, 2, 5, 10, 0.2]);
  });
});

describe("a line chart", () => {
  const points = [
    { x: 0, y: 20 },
    { x: 50, y: 40 },
    { x: 100, y: 30 },
  ];
  const chart = { ...named, points, xLabel: "step", show: String, lastX: 100 };
  // The plot goes from 52 to 468 across and from 206 (20) up to 12 (40).
  const { markup } = lineChart({
    ...chart,
    marked: { x: 50, label: "kept: step 50" },
    reference: { y: 20, label: "before" },
  });

  test("has its points where they belong", () => {
    expect(all(markup, /<circle class="point" cx="([\d.]+)" cy="([\d.]+)"/g)).toEqual([
      ["52", "206"],
      ["260", "12"],
      ["468", "109"],
    ]);
    expect(markup).toContain('d="M52 206L260 12L468 109"');
  });

  test("marks the step it is told to, with a word", () => {
    expect(markup).toContain('<line class="marked" x1="260" y1="12" x2="260" y2="206"/>');
    expect(markup).toContain("kept: step 50</text>");
    expect(lineChart(chart).markup).not.toContain('class="marked"');
  });

  test("draws the reference across the plot", () => {
    expect(markup).toContain('<line class="reference" x1="52" y1="206" x2="468" y2="206"/>');
  });

  test("writes the word where neither the marked point nor the reference is: foot, top, or half way", () => {
    const height = (options: object) =>
      all(lineChart({ ...chart, ...options }).markup, /<text class="note strong" x="[\d.]+" y="([\d.]+)"/g)[0]?.[0];
    const marked = (x: number) => ({ marked: { x, label: "kept" } });
    expect(height(marked(50))).toBe("198"); // the point is at the top
    expect(height(marked(0))).toBe("24"); // it is at the foot
    expect(height({ ...marked(50), reference: { y: 20, label: "before" } })).toBe("109"); // and the reference at the other end
  });

  test("of a run that kept step 0 without any other evaluation still is a chart", () => {
    const only = lineChart({ ...chart, points: [{ x: 0, y: 20 }], lastX: 0, marked: { x: 0, label: "kept: step 0" } });
    expect(only.markup).not.toMatch(/NaN|Infinity/);
    expect(all(only.markup, /<circle class="point" cx="([\d.]+)"/g)).toEqual([["52"]]);
  });

  test("says title and description to those who do not see it", () => {
    expect(markup).toContain('role="img" aria-labelledby="chart-title chart-desc"');
    expect(markup).toContain('<title id="chart-title">A title</title><desc id="chart-desc">In words.</desc>');
  });
});

describe("histogram bins", () => {
  test("hold shares, the upper edge in the last one", () => {
    expect(histogramBins([0, 0.4, 1, 1.9, 2], 0, 2, 2).shares).toEqual([0.4, 0.6]);
  });

  test("are empty without values", () => {
    expect(histogramBins([], 0, 2, 2).shares).toEqual([0, 0]);
  });
});

describe("a histogram", () => {
  const sides = (front: number[], back: number[]) =>
    histogram({
      ...named,
      front: { label: "relevant", values: front },
      back: { label: "other", values: back },
      xLabel: "score",
      bins: 4,
    }).markup;

  test("draws each kind as shares of its own total", () => {
    // Over -2..2 in four bins of 104: the others half in the first and half in the second, the relevant all in the last.
    const markup = sides([1.5, 2], [-2, -1.5, -0.5, -1]);
    expect(all(markup, /<rect class="back" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)">/g)).toEqual([
      ["52", "130", "104", "96"],
      ["156", "130", "104", "96"],
    ]);
    expect(markup).toContain('<path class="front" d="M52 226V226H156V226H260V226H364V34H468V226Z"/>');
  });

  test("works with one kind alone and with scores that are all the same", () => {
    expect(sides([], [0.5, 0.5])).not.toMatch(/NaN|Infinity/);
  });
});

describe("bars of gains", () => {
  const bars = [100, 50, 0, -100].map((value, index) => ({ label: `q${index + 1}`, value }));
  const draw = (parts: [string, string, string], list = bars) =>
    gainBars({ ...named, bars: list, parts, xLabel: "queries" }).markup;

  test("stand up for gains, hang down for losses, and are absent at 0", () => {
    // Four bars of 104 across; 0 lies at 130, +100 at 34 and -100 at 226.
    const found = all(
      draw(["a", "b", "c"]),
      /<rect class="(gain|loss)" x="([\d.]+)" y="([\d.]+)" width="104" height="([\d.]+)">/g,
    );
    expect(found).toEqual([
      ["gain", "52", "34", "96"],
      ["gain", "156", "82", "48"],
      ["loss", "364", "130", "96"],
    ]);
  });

  test("are named by the ids of their queries, escaped", () => {
    const markup = draw(["a", "b", "c"], [{ label: "<q&1>", value: 12.345 }]);
    expect(markup).toMatch(/<title>&lt;q&amp;1&gt;: \+12\.3[45]<\/title>/);
  });

  test("carry the words of a part in its middle, where they fit", () => {
    const markup = draw(["2 better", "1 equal", "a very long word that does not fit"]);
    expect(markup).toContain('<text class="note strong" x="156" y="146" text-anchor="middle">2 better</text>');
    expect(markup).not.toContain("very long");
  });

  test("are means of neighbours when there are more than a screen shows", () => {
    const many = Array.from({ length: 2 * MOST_BARS }, (_, index) => ({ label: `q${index}`, value: -index }));
    const few = thinned(many);
    expect(few).toHaveLength(MOST_BARS);
    expect(few[0]).toEqual({ label: "mean of 2 queries", value: -0.5 });
    expect(thinned(bars)).toEqual(bars);
  });

  test("of queries that are all equal are an empty frame", () => {
    const markup = draw(
      ["0 better", "2 equal", "0 worse"],
      [
        { label: "q1", value: 0 },
        { label: "q2", value: 0 },
      ],
    );
    expect(markup).not.toMatch(/NaN|<rect/);
    expect(markup).toContain("2 equal");
  });
});

describe("a reliability diagram", () => {
  const bins = [
    { from: 0, to: 0.3, pairs: 10, predicted: 0.2, observed: 0.1, interval: [0, 0.4] as [number, number] },
    { from: 0.7, to: 0.9, pairs: 10, predicted: 0.8, observed: 0.5, interval: [0.25, 0.75] as [number, number] },
  ];

  test("has a point and a whisker a bin, and the diagonal", () => {
    // 0 to 1 is 44 to 326 across and 294 to 30 up.
    const { markup } = reliabilityDiagram({ ...named, bins, end: 1 });
    expect(all(markup, /<circle class="point" cx="([\d.]+)" cy="([\d.]+)"/g)).toEqual([
      ["100.4", "267.6"],
      ["269.6", "162"],
    ]);
    expect(markup).toContain('<line class="whisker" x1="269.6" y1="228" x2="269.6" y2="96"/>');
    expect(markup).toContain('<line class="reference" x1="44" y1="294" x2="326" y2="30"/>');
  });

  test("ends at a round value over its bins, at most at 1", () => {
    expect(reliabilityEnd(bins)).toBe(0.8);
    expect(reliabilityEnd([{ ...(bins[1] as (typeof bins)[1]), interval: [0.5, 1] }])).toBe(1);
  });
});
