import { expect, test } from "vitest";
import { withoutSecrets } from "../../../src/hub/redaction.js";

test.each([
  ["got hf_abcDEF0123456789 there", "got [token] there"],
  ["Authorization: Bearer abc.def", "Authorization: Bearer [token]"],
  ["at https://s3.example.org/a/b?X-Amz-Signature=00ff&x=1 now", "at https://s3.example.org/a/b now"],
  ["id eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln end", "id [token] end"],
  ["two\nlines\u0007", "two lines"],
  ["x".repeat(400), `${"x".repeat(300)}…`],
])("%j", (said, shown) => expect(withoutSecrets(said)).toBe(shown));

test("the token itself goes, whatever it looks like", () => {
  expect(withoutSecrets("is odd+token= it", "odd+token=")).toBe("is [token] it");
});
