import { describe, expect, test } from "vitest";
import { checkReach, endpointAddress, reachOf, tokenOf } from "../../../../src/data-tools/endpoint/address.js";
import { RerankTuneError } from "../../../../src/errors.js";
import type { StageEvent } from "../../../../src/events.js";

const CHAT = { whole: "/v1/chat/completions", last: "chat/completions" };

function failure(work: () => unknown): RerankTuneError {
  try {
    work();
  } catch (error) {
    if (error instanceof RerankTuneError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("the address of a server", () => {
  test.each([
    ["http://localhost:11434", "http://localhost:11434/v1/chat/completions"],
    ["http://localhost:11434/v1", "http://localhost:11434/v1/chat/completions"],
    ["http://localhost:11434/v1/", "http://localhost:11434/v1/chat/completions"],
    ["https://h.internal/api/v1/chat/completions", "https://h.internal/api/v1/chat/completions"],
    ["http://h/v1?key=secret#x", "http://h/v1/chat/completions"],
  ])("%s is completed and shown without its query string", (given, shown) => {
    const address = endpointAddress(given, "--endpoint", CHAT);
    expect(address.shown).toBe(shown);
    expect(address.url.hash).toBe("");
  });

  test("keeps the query string for the request itself", () => {
    expect(endpointAddress("http://h/v1?api-version=3", "--endpoint", CHAT).url.search).toBe("?api-version=3");
  });

  test.each(["ftp://localhost", "file:///etc/passwd", "http://", "localhost:8080"])("%s is refused", (given) => {
    expect(failure(() => endpointAddress(given, "--endpoint", CHAT))).toMatchObject({ code: "USAGE", exitCode: 2 });
  });

  test("with a password is refused without repeating it", () => {
    const error = failure(() => endpointAddress("http://me:hunter2@localhost", "--endpoint", CHAT));
    expect(error.code).toBe("USAGE");
    expect(`${error.message} ${error.hint}`).not.toContain("hunter2");
  });
});

describe("the reach of a host", () => {
  test.each(["localhost", "api.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "0.0.0.0", "[::ffff:7f00:1]"])(
    "%s is this machine",
    (host) => expect(reachOf(host)).toBe("loopback"),
  );

  test.each([
    "10.1.2.3",
    "172.31.0.1",
    "192.168.1.9",
    "169.254.1.1",
    "100.100.1.1",
    "[fd00::1]",
    "[fe80::1]",
    "[::ffff:a00:1]",
    "tei",
    "gpu-box.local",
    "llm.corp.internal",
    "llm.corp.internal.",
  ])("%s is private", (host) => expect(reachOf(host)).toBe("private"));

  test.each([
    "api.example.com",
    "172.32.0.1",
    "100.128.0.1",
    "8.8.8.8",
    "[2001:4860::1]",
    "[::ffff:808:808]",
    "localhost.example.com",
    "internal.example.com",
    "10.example.com",
  ])("%s is remote", (host) => expect(reachOf(host)).toBe("remote"));

  test("is judged by what the number in the address means", () => {
    expect(endpointAddress("http://2130706433/", "--endpoint", CHAT).reach).toBe("loopback");
    expect(endpointAddress("http://0x08080808/", "--endpoint", CHAT).reach).toBe("remote");
  });
});

describe("a remote host", () => {
  const remote = (text: string) => endpointAddress(text, "--endpoint", CHAT);

  test("is refused unless it was allowed", () => {
    const error = failure(() => checkReach(remote("https://api.example.com"), false, () => undefined));
    expect(error).toMatchObject({ code: "USAGE", exitCode: 2 });
    expect(error.hint).toContain("--allow-remote");
  });

  test("is warned of when it was allowed, once more when unencrypted", () => {
    const events: StageEvent[] = [];
    checkReach(remote("https://api.example.com"), true, (event) => events.push(event));
    expect(events).toEqual([
      { type: "warning", message: "the texts are sent to api.example.com, outside this machine and its network" },
    ]);
    checkReach(remote("http://api.example.com"), true, (event) => events.push(event));
    expect(events).toHaveLength(3);
  });

  test("is no matter for hosts of one's own", () => {
    const events: StageEvent[] = [];
    for (const own of ["http://localhost", "http://10.0.0.8"])
      checkReach(remote(own), false, (event) => events.push(event));
    expect(events).toEqual([]);
  });
});

describe("the token", () => {
  test("comes out of the named variable", () => {
    expect(tokenOf("MY_TOKEN", { MY_TOKEN: " abc " })).toBe("abc");
    expect(tokenOf(undefined, { MY_TOKEN: "abc" })).toBeUndefined();
  });

  test("given in place of a name is not repeated", () => {
    const error = failure(() => tokenOf("hf_secret", {}));
    expect(error.code).toBe("USAGE");
    expect(`${error.message} ${error.hint}`).not.toContain("hf_secret");
  });

  test("that no header can carry is refused without repeating it", () => {
    const error = failure(() => tokenOf("MY_TOKEN", { MY_TOKEN: "se cret" }));
    expect(error.code).toBe("USAGE");
    expect(`${error.message} ${error.hint}`).not.toContain("se cret");
  });
});
