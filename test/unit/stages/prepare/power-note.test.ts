import { expect, test } from "vitest";
import { powerNote } from "../../../../src/stages/prepare/report.js";

test("the note on power says what this test split can show, and what larger ones could", () => {
  expect(powerNote(200)).toBe(
    "200 test queries show a gain of NDCG@10 from about 5.0 points up, four times in five (3.0 where queries gain alike: standard deviation 0.25 or 0.15 a query); by number of queries: 50: 9.9 or 5.9, 100: 7.0 or 4.2, 200: 5.0 or 3.0, 300: 4.0 or 2.4, 500: 3.1 or 1.9, 1000: 2.2 or 1.3",
  );
});

test("the note on power says of a single query that it shows nothing", () => {
  expect(powerNote(200, 100)).toMatch(
    /^200 test queries in 100 clusters show a gain of NDCG@10 from about 7\.0 points up/,
  );
  expect(powerNote(1)).toMatch(/^1 test queries show a gain of NDCG@10 from about 100\.0 points up/);
});
