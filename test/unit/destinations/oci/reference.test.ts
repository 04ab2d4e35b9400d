import { describe, expect, test } from "vitest";
import { parseOciReference } from "../../../../src/destinations/oci/reference.js";

const HEX = "a".repeat(64);

describe("a reference", () => {
  test.each([
    ["oci://ghcr.io/org/model:v1", { origin: "https://ghcr.io", host: "ghcr.io", repository: "org/model", tag: "v1" }],
    [
      "oci://registry.example:5000/a/b/c-d_e.f:V1.0_x",
      { origin: "https://registry.example:5000", repository: "a/b/c-d_e.f", tag: "V1.0_x" },
    ],
    ["oci://localhost:5000/m:v1", { origin: "http://localhost:5000", host: "localhost:5000" }],
    ["oci://127.0.0.1/m:v1", { origin: "http://127.0.0.1" }],
    ["oci://[::1]:5000/m:v1", { origin: "http://[::1]:5000" }],
    ["oci+http://registry.example/m:v1", { origin: "http://registry.example" }],
    ["oci://docker.io/org/model:v1", { origin: "https://registry-1.docker.io", host: "docker.io" }],
    [`oci://ghcr.io/org/model@sha256:${HEX}`, { repository: "org/model", digest: `sha256:${HEX}` }],
  ])("%s is understood", (text, expected) => {
    expect(parseOciReference(text)).toMatchObject(expected);
  });

  test.each([
    "oci://ghcr.io/org/model",
    "oci://ghcr.io",
    "oci://ghcr.io/:v1",
    "oci:ghcr.io/org/model:v1",
    "oci://ghcr.io/Org/model:v1",
    "oci://ghcr.io/org//model:v1",
    "oci://ghcr.io/../model:v1",
    "oci://ghcr.io/org/model:v1/x",
    "oci://ghcr.io/org/model:-v",
    `oci://ghcr.io/org/model:${"v".repeat(129)}`,
    `oci://ghcr.io/org/model:v1@sha256:${HEX}`,
    "oci://ghcr.io/org/model@sha256:abc",
    "oci://127.0.0.1.evil.example/../m:v1",
    "https://ghcr.io/org/model:v1",
  ])("%s is refused, and how it is written is said", (text) => {
    expect(() => parseOciReference(text)).toThrow(
      expect.objectContaining({ code: "USAGE", hint: expect.stringContaining("oci://HOST/REPOSITORY:TAG") }),
    );
  });

  test("a host that only begins like this machine is reached by https", () => {
    expect(parseOciReference("oci://127.0.0.1.example/m:v1").origin).toBe("https://127.0.0.1.example");
    expect(parseOciReference("oci://localhost.example/m:v1").origin).toBe("https://localhost.example");
  });

  test("with a password in it is refused without repeating it", () => {
    const error = (() => {
      try {
        return parseOciReference("oci://me:s3cret-word@ghcr.io/org/model:v1");
      } catch (thrown) {
        return thrown as { message: string; hint: string };
      }
    })();
    expect(error).toMatchObject({ code: "USAGE", hint: expect.stringContaining("docker login") });
    expect(JSON.stringify([error])).not.toContain("s3cret-word");
  });
});
