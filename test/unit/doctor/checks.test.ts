import { describe, expect, test } from "vitest";
import { foldersCheck, space } from "../../../src/doctor/checks/folders.js";
import { memory, processor } from "../../../src/doctor/checks/machine.js";
import { nodeVersion } from "../../../src/doctor/checks/node.js";
import { CHECKS, examine } from "../../../src/doctor/index.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";

const folder = folderPerTest();
const signal = new AbortController().signal;

describe("the check of Node", () => {
  test.each([
    ["20.19.0", "ok"],
    ["22.1.0", "ok"],
    ["20.18.9", "error"],
    ["18.20.0", "error"],
  ])("finds %s %s", (version, severity) => {
    expect(nodeVersion(version).severity).toBe(severity);
  });
});

describe("the check of the machine", () => {
  test.each([
    [["avx2", "avx512_vnni"], "ok"],
    [["avx2", "avx_vnni"], "ok"],
    [["avx2"], "warning"],
    [[], "ok"],
  ])("finds a processor with %j %s", (flags, severity) => {
    expect(processor(flags, "x64").severity).toBe(severity);
  });

  test("warns of little memory", () => {
    expect([memory(2e9).severity, memory(16e9).severity]).toEqual(["warning", "ok"]);
  });
});

describe("the check of folders", () => {
  test.each([
    [0.5e9, "error"],
    [3e9, "warning"],
    [50e9, "ok"],
  ])("finds %d free bytes %s", (bytes, severity) => {
    expect(space("cache", bytes, "x").severity).toBe(severity);
  });

  test("says what to change when a path cannot be a folder", async () => {
    const findings = await foldersCheck.run({ home: "/dev/null/x", artifacts: folder(), signal });
    expect(findings[0]).toMatchObject({ severity: "error", remedy: "set RERANK_TUNE_HOME to another folder" });
  });
});

describe("the examination", () => {
  test("gives a remedy with every finding that is not ok", async () => {
    const findings = await examine({ home: folder(), artifacts: folder(), signal }, () => undefined);
    expect(findings.filter(({ severity, remedy }) => severity !== "ok" && remedy === undefined)).toEqual([]);
    expect([...new Set(findings.map(({ check }) => check))]).toEqual(CHECKS.map(({ name }) => name));
  });
});
