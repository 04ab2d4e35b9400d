import { expect, test } from "vitest";
import { rightsOf } from "../../../../src/destinations/hub/rights.js";

const who = (role: string, more: object = {}, scoped?: object[]) => ({
  type: "user",
  name: "ada",
  orgs: [
    { name: "Lab", roleInOrg: "contributor" },
    { name: "club", roleInOrg: "read" },
  ],
  auth: { accessToken: { displayName: "x", role, ...(scoped === undefined ? {} : { fineGrained: { scoped } }) } },
  ...more,
});
const may = (type: string, name: string, permission = "repo.write") => ({
  entity: { _id: "1", type, name },
  permissions: ["repo.content.read", permission],
});

test.each<[string, unknown, string, boolean]>([
  ["the owner", who("write"), "ada/x", false],
  ["a member, by a name in another case", who("write"), "lab/x", false],
  ["a fine-grained token for the namespace", who("fineGrained", {}, [may("org", "lab")]), "lab/x", false],
  [
    "a fine-grained token for a repository that is there",
    who("fineGrained", {}, [may("model", "lab/x")]),
    "lab/x",
    true,
  ],
  ["an answer nobody knows", { hello: 1 }, "lab/x", true],
])("%s may write", (_, answer, repo, exists) => {
  expect(rightsOf(answer, repo, exists).problem).toBeUndefined();
});

test.each<[string, unknown, string, boolean, string]>([
  ["a reader's token", who("read"), "ada/x", true, "The token of ada may only read."],
  ["a stranger", who("write"), "other/x", false, "ada is no member of other."],
  ["a reader of the organization", who("write"), "club/x", true, "ada may only read in club."],
  [
    "a fine-grained token for one repository",
    who("fineGrained", {}, [may("model", "lab/x")]),
    "lab/x",
    false,
    "The fine-grained token of ada lacks write access to all repositories of lab, to make a new one.",
  ],
  [
    "a fine-grained token that only reads",
    who("fineGrained", {}, [may("org", "lab", "repo.access.read")]),
    "lab/x",
    true,
    "The fine-grained token of ada lacks write access to lab/x.",
  ],
])("%s may not", (_, answer, repo, exists, message) => {
  expect(rightsOf(answer, repo, exists).problem?.message).toBe(message);
});

test("the plan names who, in which role, and when the token ends", () => {
  const answer = who("write", { auth: { expiresAt: "2026-12-31T00:00:00.000Z", accessToken: { role: "write" } } });
  expect(rightsOf(answer, "lab/x", true).notes).toEqual([
    "as ada, with a token of role write",
    "the token ends 2026-12-31",
    "contributor of lab",
  ]);
});
