import { mkdir, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hashText } from "../../../../src/artifacts/hash.js";
import { placeLink, placeText, placeVersion, setAside } from "../../../../src/registry/views/place.js";
import { temporaryFolder } from "../../../helpers/temporary-folder.js";

async function folders() {
  const folder = await temporaryFolder();
  const [view, staging] = [join(folder, "view"), join(folder, "staging")];
  await mkdir(join(view, "old"), { recursive: true });
  await mkdir(staging);
  await writeFile(join(view, "old", "config.json"), "{}");
  await writeFile(join(folder, "blob"), "weights");
  return { folder, view, staging };
}

describe("what goes out of a view", () => {
  test("is whole elsewhere, not half where it was", async () => {
    const { view, staging } = await folders();
    await setAside(join(view, "old"), join(staging, "aside"));
    expect(await readdir(view)).toEqual([]);
    expect(await readFile(join(staging, "aside", "config.json"), "utf8")).toBe("{}");
  });

  test("may be gone already", async () => {
    const { view, staging } = await folders();
    await setAside(join(view, "never"), join(staging, "aside"));
    expect(await readdir(staging)).toEqual([]);
  });
});

describe("what comes into a view", () => {
  test("takes the place of an unsound folder, which is deleted", async () => {
    const { folder, view, staging } = await folders();
    const path = "onnx/deep/model.onnx";
    const file = { path, bytes: 7, sha256: hashText("weights"), blob: join(folder, "blob") };
    await placeVersion(join(view, "old"), [file], join(staging, "one"), { link: false, onFile: () => undefined });
    expect(await readdir(join(view, "old"), { recursive: true })).toEqual(["onnx", "onnx/deep", path]);
    expect(await readdir(join(staging, "one"))).toEqual([]);
  });

  test("is a text that leaves no other name in its folder, and none in the staging folder", async () => {
    const { view, staging } = await folders();
    await mkdir(join(view, "refs"));
    for (const text of ["one", "two"]) await placeText(join(view, "refs", "main"), text, staging);
    expect(await readFile(join(view, "refs", "main"), "utf8")).toBe("two");
    expect([await readdir(join(view, "refs")), await readdir(staging)]).toEqual([["main"], []]);
  });

  test("is a link that moves in one step", async () => {
    const { view, staging } = await folders();
    await placeLink(join(view, "latest"), "old", staging);
    await placeLink(join(view, "latest"), "new", staging);
    expect(await readlink(join(view, "latest"))).toBe("new");
    expect(await readdir(staging)).toEqual([]);
  });
});
