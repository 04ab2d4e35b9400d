import { describe, expect, test } from "vitest";
import { NO_MODEL, routeOf } from "../../../src/serve/routes.js";

const SHA = "0123456789abcdef0123456789abcdef01234567";
const route = (path: string) => routeOf(path, "local");

describe("a path", () => {
  test.each([
    ["/", { kind: "home" }],
    ["/healthz", { kind: "health" }],
    ["/api/whoami-v2", { kind: "whoami" }],
    ["/api/models", { kind: "models" }],
    ["/api/models/", { kind: "models" }],
    ["/api/models/local/reranker", { kind: "info", model: "reranker", revision: "main" }],
    ["/api/models/reranker", { kind: "info", model: "reranker", revision: "main" }],
    ["/api/models/local/reranker/revision/refs%2Fpr%2F1", { kind: "info", model: "reranker", revision: "refs/pr/1" }],
    ["/api/models/reranker/revision/HEAD", { kind: "info", model: "reranker", revision: "HEAD" }],
    ["/api/models/local/reranker/refs", { kind: "refs", model: "reranker" }],
    [`/api/models/local/reranker/tree/${SHA}`, { kind: "tree", model: "reranker", revision: SHA, path: "" }],
    [
      "/api/models/local/reranker/tree/main/onnx/a",
      { kind: "tree", model: "reranker", revision: "main", path: "onnx/a" },
    ],
    ["/api/models/local/reranker/paths-info/main", { kind: "paths", model: "reranker", revision: "main" }],
    ["/local/reranker/resolve/main/onnx/model.onnx", file("reranker", "main", "onnx/model.onnx")],
    ["/reranker/resolve/sha256%3Aab/a%20b%25.txt", file("reranker", "sha256:ab", "a b%.txt")],
    ["/local/reranker/resolve/refs%2Fheads%2Flatest/x", file("reranker", "refs/heads/latest", "x")],
    ["/local/reranker", { kind: "page", model: "reranker" }],
    ["/local/reranker/tree/latest", { kind: "page", model: "reranker", revision: "latest" }],
  ])("%s is read as the Hub reads it", (path, expected) => {
    expect(route(path)).toEqual(expected);
  });

  test("may name a model like an organization or a call", () => {
    expect(route("/local/resolve/main/config.json")).toEqual(file("local", "main", "config.json"));
    expect(route("/local/resolve/resolve/main/config.json")).toEqual(file("resolve", "main", "config.json"));
    expect(route("/api/models/local/tree/tree/main")).toMatchObject({ kind: "tree", model: "tree", revision: "main" });
  });

  test("of another organization names no model", () => {
    expect(route("/api/models/acme/reranker/revision/main")).toMatchObject({ kind: "info", model: NO_MODEL });
    expect(route("/acme/reranker/resolve/main/config.json")).toMatchObject({ kind: "file", model: NO_MODEL });
  });

  test.each([
    "/api/models/local/reranker/tree/main//x",
    "/local/reranker/resolve/main/%00",
    "/local/reranker/resolve/%E0%A4%A/config.json",
    "/api",
    "/api/agent-harnesses",
    "/api/datasets/local/reranker",
    "/local/reranker/raw/main/config.json",
    "/local/reranker/resolve",
    "/api/models/local/reranker/revision/main/more",
  ])("%s means nothing", (path) => {
    expect(route(path)).toEqual({ kind: "unknown" });
  });

  test("that climbs stays a name that no version has", () => {
    expect(route("/local/reranker/resolve/main/..%2f..%2findex.json")).toEqual(
      file("reranker", "main", "../../index.json"),
    );
  });
});

function file(model: string, revision: string, path: string) {
  return { kind: "file", model, revision, path };
}
