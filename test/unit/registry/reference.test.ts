import { describe, expect, test } from "vitest";
import { clashingPath, parseReference, pathProblem } from "../../../src/registry/reference.js";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("a reference", () => {
  test("without more means the alias latest", () => {
    expect(parseReference("reranker-1.2")).toEqual({ name: "reranker-1.2", alias: "latest" });
  });

  test("names an alias behind a colon", () => {
    expect(parseReference("reranker:prod")).toEqual({ name: "reranker", alias: "prod" });
  });

  test("names a version behind an at sign", () => {
    expect(parseReference(`reranker@${DIGEST}`)).toEqual({ name: "reranker", digest: DIGEST });
  });

  test.each(["", "Reranker", "a/b", "a:", "a@", "a@sha256:12", "a:B", "../a", "a:latest:more"])(
    "%j is refused",
    (text) => {
      expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: "REGISTRY_NOT_FOUND" }));
    },
  );
});

describe("a path of a version", () => {
  test.each(["config.json", "onnx/model.onnx", "a b.json", "onnx/model.onnx_data"])("%j is allowed", (path) => {
    expect(pathProblem(path)).toBeUndefined();
  });

  test.each(["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", "./a", "C:\\x", "c:x", "a\\b", "a\0b", "a\nb"])(
    "%j is refused",
    (path) => {
      expect(pathProblem(path)).toBeTypeOf("string");
    },
  );

  test("clashes with one that differs in case alone", () => {
    expect(clashingPath(["README.md", "onnx/a", "readme.MD"])).toBe("readme.MD");
  });
});
