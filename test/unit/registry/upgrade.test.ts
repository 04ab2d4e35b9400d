// Registries that earlier versions wrote stay readable. The fixtures are frozen: test/fixtures/make_registry.mjs wrote each once.
import { chmod, cp, mkdir, readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import { openRegistry } from "../../../src/registry/index.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

test.each(["registry-v1"])("%s is sound and says what it said", async (name) => {
  const root = join(await temporaryFolder(), "registry");
  await cp(resolve(import.meta.dirname, "../../fixtures", name), root, { recursive: true });
  await mkdir(join(root, "tmp"), { recursive: true });
  // git keeps neither empty folders nor that a file is read-only
  const blobs = join(root, "blobs", "sha256");
  for (const blob of await readdir(blobs)) await chmod(join(blobs, blob), 0o444);

  const registry = await openRegistry(root);
  expect(await registry.verify()).toMatchObject({ versions: 2, unused: 0, problems: [] });
  const shown = await registry.show("reranker");
  expect(shown).toMatchObject({ card: "# version two\n", aliases: ["latest"], reports: [{ content: { report: 1 } }] });
  const target = join(await temporaryFolder(), "model");
  await registry.pull("reranker", target);
  expect(await readFile(join(target, "onnx", "model.onnx"), "utf8")).toBe("weights two");
});
