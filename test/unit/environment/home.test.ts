import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { homeFolder } from "../../../src/environment/home.js";
import { requireSupportedPlatform } from "../../../src/environment/platform.js";
import { hostDescription, toolVersions } from "../../../src/environment/versions.js";

describe("the cache folder", () => {
  test("is RERANK_TUNE_HOME when that is set", () => {
    expect(homeFolder({ RERANK_TUNE_HOME: "/data/cache", XDG_CACHE_HOME: "/xdg" }, "linux")).toBe("/data/cache");
  });

  test("follows XDG on Linux", () => {
    expect(homeFolder({ XDG_CACHE_HOME: "/xdg" }, "linux")).toBe("/xdg/rerank-tune");
    expect(homeFolder({}, "linux")).toBe(join(homedir(), ".cache", "rerank-tune"));
  });

  test("is in Library/Caches on macOS", () => {
    expect(homeFolder({ XDG_CACHE_HOME: "/xdg" }, "darwin")).toBe(join(homedir(), "Library", "Caches", "rerank-tune"));
  });
});

describe("the platform", () => {
  test.each(["linux-x64", "linux-arm64", "darwin-arm64", "win32-x64"])("%s is supported", (system) => {
    expect(() => requireSupportedPlatform(system, false)).not.toThrow();
  });

  test.each(["darwin-x64", "win32-arm64", "freebsd-x64"])("%s is refused with a way out", (system) => {
    expect(() => requireSupportedPlatform(system, false)).toThrowError(
      expect.objectContaining({ code: "PLATFORM_UNSUPPORTED", message: expect.stringContaining(system) }),
    );
  });

  test("with musl is refused by name", () => {
    expect(() => requireSupportedPlatform("linux-x64", true)).toThrowError(/musl/);
  });
});

describe("the versions of the tools", () => {
  test("are all exact", async () => {
    const { host, python_lock, ...versions } = await toolVersions();
    expect(host).toContain("cores");
    expect(python_lock).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.values(versions).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  test("describe the host the same way twice", () => {
    expect(hostDescription()).toBe(hostDescription());
  });
});
