import { expect, test } from "vitest";
import { nameProblem, readTarget, tagOf } from "../../../../src/destinations/hub/target.js";

test.each([
  ["hub:org/name", { repo: "org/name", public: false, overwrite: false }],
  ["hub:org/name@v1.2", { repo: "org/name", tag: "v1.2", public: false, overwrite: false }],
  ["hub:o/n,public,overwrite,replaces=o/old", { repo: "o/n", public: true, overwrite: true, replaces: "o/old" }],
])("%s", (target, read) => expect(readTarget(target)).toEqual(read));

test.each([
  ["hub:name", "is not of the form org/name"],
  ["hub:org/na--me", "has -- or .."],
  ["hub:org/name.git", "ends in .git"],
  ["hub:org/-name", "has other signs"],
  ["hub:org/näme", "has other signs"],
  [`hub:org/${"n".repeat(93)}`, "has 97 characters"],
  ["hub:org/name@main", "keeps for itself"],
  ["hub:org/name@a@b", "names two tags"],
  [`hub:org/name@${"0".repeat(40)}`, "keeps for itself"],
  ["hub:org/name@a b", "which is none"],
  ["hub:org/name,pubic", 'unknown part "pubic"'],
  ["hub:org/name,replaces=old", "replaces a repository whose name is not of the form"],
  ["hub:org/name,replaces=org/name", "replaces itself"],
])("%s is refused", (target, problem) => expect(() => readTarget(target)).toThrow(problem));

test("names of 96 characters are the longest", () => {
  expect(nameProblem(`org/${"n".repeat(92)}`)).toBeUndefined();
});

test("a tag is v- and twelve digits of the digest", () => {
  expect(tagOf(`sha256:${"0123456789abcdef".repeat(4)}`)).toBe("v-0123456789ab");
});
