import { expect, test } from "vitest";
import { secretsIn } from "../../../../src/destinations/hub/secret-patterns.js";

const letters = "aB3".repeat(20);

test.each([
  [`hf_${letters.slice(0, 34)}`, "a Hugging Face token"],
  [`ghp_${letters.slice(0, 36)}`, "a GitHub token"],
  [`glpat-${letters.slice(0, 20)}`, "a GitLab token"],
  ["AKIAABCDEFGHIJKLMNOP", "an AWS access key"],
  [`AIza${letters.slice(0, 35)}`, "a Google API key"],
  [`xoxb-${letters.slice(0, 24)}`, "a Slack token"],
  [`npm_${letters.slice(0, 36)}`, "an npm token"],
  [`sk-ant-${letters.slice(0, 40)}`, "an API key"],
  ["-----BEGIN EC PRIVATE KEY-----", "a private key"],
  [`eyJ${letters.slice(0, 12)}.eyJ${letters.slice(0, 12)}.${letters.slice(0, 12)}`, "a JSON web token"],
  ["postgres://user:pass1@host/db", "an address with a password"],
])("%s is found, with its line", (secret, kind) => {
  expect(secretsIn(`{\n"a": "${secret}"\n}`)).toEqual([{ line: 2, kind }]);
});

test.each([
  `"sha256": "${"0123456789abcdef".repeat(4)}"`,
  "tiny@sha256:77cea0c447b709b9beef016860804718b3d8a710b1a2c583e5c7bf03600adebf",
  "hf_hub_download and hf_token, sk-learn, ghp_short",
  "https://huggingface.co/org/name/resolve/main/README.md",
  "ftp://host:21/a@b",
  "▁internationalization ##ization eyJ",
])("%s is none", (text) => expect(secretsIn(text)).toEqual([]));
