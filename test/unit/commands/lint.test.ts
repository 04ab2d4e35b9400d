import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lint } from "../../../src/commands/lint.js";
import type { LintReport } from "../../../src/lint/index.js";
import { CONSUMERS } from "../../../src/lint/rule.js";
import { buildProgram } from "../../../src/program.js";
import { folderPerTest } from "../../helpers/folder-per-test.js";
import { writeModel } from "../lint/model-files.js";

const folder = folderPerTest();
const model = () => join(folder(), "model");
const context = {
  signal: new AbortController().signal,
  emit: () => undefined,
  home: "",
  python: () => Promise.reject(new Error("no Python here")),
};
const plain = (_: string, text: string) => text;

describe("lint", () => {
  test("of a sound folder is done, and says that all eight load it", async () => {
    await writeModel(model());
    const result = await lint(model(), {}, context);
    expect(result.failure).toBeUndefined();
    expect(result.essential).toBe("ok");
    expect(result.text(plain)).toContain("8 of 8 load it as a reranker\n0 errors, 0 warnings, 0 notes");
  });

  test("of a folder that someone refuses ends with exit code 3 and says what to type", async () => {
    await writeModel(model(), ({ sentenceBert }) => delete sentenceBert.max_seq_length);
    const { failure, essential } = await lint(model(), {}, context);
    expect(failure).toMatchObject({ code: "LINT_FAILED", exitCode: 3 });
    expect(failure?.hint).toContain("--fix");
    expect(essential).toBe("tei-ort tei-candle");
    expect((await lint(model(), { for: ["onnxruntime"] }, context)).failure).toBeUndefined();
  });

  test("of a folder with warnings only is done", async () => {
    await writeModel(model(), ({ tokenizerConfig }) => delete tokenizerConfig.model_max_length);
    expect((await lint(model(), {}, context)).failure).toBeUndefined();
  });

  test("fits 80 columns, whatever it finds", async () => {
    await writeModel(model(), ({ files, config, tokenizerConfig }) => {
      files["onnx/model.onnx"] = null;
      files[`onnx/${"model_with_a_long_name".repeat(4)}.onnx`] = "x";
      config.architectures = ["XLMRobertaForSomethingElseAltogetherOfAVeryLongName"];
      tokenizerConfig.tokenizer_class = "TokenizersBackend";
    });
    const text = (await lint(model(), {}, context)).text(plain);
    // The folder's own name stands on one line, and may be longer.
    const long = text
      .split("\n")
      .filter((line) => line.length > 80 && !line.includes(folder()) && !line.includes("model_with_a_long_name"));
    expect(long).toEqual([]);
  });

  test("--json has the report that the issue asks for", async () => {
    await writeModel(model(), ({ config }) => delete config.label2id);
    const { consumers, findings } = (await lint(model(), {}, context)).data as LintReport;
    expect(consumers[0]).toEqual({
      name: "tei-ort",
      title: "TEI, CPU image (ONNX)",
      loads: "no",
      as: null,
      limits: { max_input_tokens: 64, dtype: "float32", opens: "onnx/model.onnx", max_batch: 8 },
      reasons: ["label2id_missing"],
    });
    expect(findings).toEqual([
      {
        rule: "label2id_missing",
        severity: "error",
        file: "config.json",
        message: "has id2label and no label2id",
        fix: "add label2id, the same the other way round",
        consumers: ["tei-ort", "tei-candle"],
        fixable: true,
        unread: false,
      },
    ]);
  });
});

describe("the flag --for", () => {
  const parse = async (...args: string[]) => {
    let seen: unknown;
    const program = buildProgram("0.0.0", async (flags) => {
      seen = flags;
    });
    for (const command of [program, ...program.commands])
      command.exitOverride().configureOutput({ writeErr: () => undefined });
    await program.parseAsync(["lint", "model", ...args], { from: "user" });
    return seen;
  };

  test("takes every consumer there is, more than once", async () => {
    const args = CONSUMERS.flatMap((name) => ["--for", name]);
    expect(await parse(...args)).toMatchObject({ for: [...CONSUMERS] });
  });

  test("refuses another", async () => {
    await expect(parse("--for", "nobody")).rejects.toThrow("must be one of tei-ort");
  });
});
