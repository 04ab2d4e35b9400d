import { describe, expect, test } from "vitest";
import { duration, percent, rate, size } from "../../../src/ui/format.js";

describe("numbers as people read them", () => {
  test.each([
    [0.04, "0.0 s"],
    [9.94, "9.9 s"],
    [9.96, "10 s"],
    [59.4, "59 s"],
    [59.6, "1 m 00 s"],
    [185, "3 m 05 s"],
    [3599.6, "1 h 00 m"],
    [7384, "2 h 03 m"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  test.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [90_868_376, "90.9 MB"],
    [999_700, "1.00 MB"],
    [2_271_000_000, "2.27 GB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(size(bytes)).toBe(text);
  });

  test.each([
    [0.874, "0.87"],
    [12.34, "12.3"],
    [99.96, "100"],
    [999.6, "1,000"],
    [12_345, "12,345"],
  ])("a rate of %d is %s", (value, text) => {
    expect(rate(value)).toBe(text);
  });

  test("a metric is shown times 100 with two decimals", () => {
    expect(percent(0.44816)).toBe("44.82");
  });
});
