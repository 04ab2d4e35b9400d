import { describe, expect, test, vi } from "vitest";
import { lintFolder } from "../../../src/lint/index.js";
import { SHA, send, startHub } from "../../helpers/fake-hub.js";
import { filesOf, soundParts } from "./model-files.js";

const REPO = "owner/model";

async function hubOf(change: (parts: ReturnType<typeof soundParts>) => void = () => undefined) {
  const parts = soundParts();
  change(parts);
  return startHub({ repo: REPO, files: filesOf(parts) });
}

const lintHub = (hubUrl: string, more: { name?: string; fix?: boolean } = {}) =>
  lintFolder({
    name: REPO,
    deciding: [],
    fix: false,
    signal: new AbortController().signal,
    hub: { hubUrl, token: "hf_test", patience: { attempts: 1, pauseMs: 1, silenceMs: 2000 } },
    ...more,
  });

describe("a repository of the Hub", () => {
  test("is linted as a folder is", async () => {
    const hub = await hubOf(({ sentenceBert }) => delete sentenceBert.max_seq_length);
    const report = await lintHub(hub.url);
    expect(report.findings.map(({ rule }) => rule)).toEqual(["length_file_without_length"]);
    expect(report.refused_by).toEqual(["tei-ort", "tei-candle"]);
    expect(hub.requests.some((request) => request.includes(`/resolve/${SHA}/config.json`))).toBe(true);
  });

  test("gives pieces of its weights, not all of them", async () => {
    const hub = await hubOf();
    const ranges: string[] = [];
    hub.fault = (incoming) => {
      if (incoming.url?.endsWith(".safetensors")) ranges.push(String(incoming.headers.range));
      return false;
    };
    expect((await lintHub(hub.url)).findings).toEqual([]);
    expect(ranges[0]).toBe("bytes=0-7");
    expect(ranges[1]).toMatch(/^bytes=8-\d+$/);
    expect(ranges).toHaveLength(2);
  });

  test("whose server gives no pieces leaves the verdict open", async () => {
    const hub = await hubOf();
    const files = filesOf(soundParts());
    hub.fault = (incoming, reply) => {
      const path = incoming.url?.split(`/resolve/${SHA}/`)[1] ?? "";
      if (incoming.headers.range === undefined || /^bytes=0-/.test(incoming.headers.range)) return false;
      delete incoming.headers.range;
      send(incoming, reply, Buffer.from(files[path] ?? ""));
      return true;
    };
    const report = await lintHub(hub.url);
    expect(report.findings.map(({ rule }) => rule)).toContain("weights_not_read");
    expect(report.refused_by).toEqual([]);
  });

  test("has other variants that nobody opens by default, which are not read", async () => {
    const hub = await hubOf(({ files }) => {
      files["onnx/model_fp16.onnx"] = "not read";
    });
    expect((await lintHub(hub.url)).findings).toEqual([]);
    expect(hub.requests.filter((request) => request.includes("model_fp16"))).toEqual([]);
  });

  test("with a graph that only Infinity opens, and that is not read, leaves Infinity's verdict open", async () => {
    const hub = await hubOf(({ files }) => {
      files["onnx/model_quantized_avx2.onnx"] = "not read";
    });
    const { findings, consumers, refused_by } = await lintHub(hub.url);
    expect(findings.find(({ rule }) => rule === "onnx_not_read")).toMatchObject({
      consumers: ["infinity"],
      unread: true,
    });
    expect(consumers.filter(({ loads }) => loads === "unknown").map(({ name }) => name)).toEqual(["infinity"]);
    expect(refused_by).toEqual([]);
  });

  test("that is not there is named with what to type", async () => {
    const hub = await hubOf();
    await expect(lintHub(hub.url, { name: "owner/other" })).rejects.toMatchObject({
      code: "HUB_NOT_FOUND",
      hint: expect.stringContaining("owner/name"),
    });
  });

  test("is not ours to fix", async () => {
    await expect(lintHub("http://127.0.0.1:1", { fix: true })).rejects.toMatchObject({
      code: "USAGE",
      hint: expect.stringContaining("hf download owner/model"),
    });
  });

  test("is not asked for offline", async () => {
    vi.stubEnv("RERANK_TUNE_OFFLINE", "1");
    await expect(lintHub("http://127.0.0.1:1").finally(() => vi.unstubAllEnvs())).rejects.toMatchObject({
      code: "DOWNLOAD_FAILED",
      message: expect.stringContaining("offline"),
    });
  });
});
