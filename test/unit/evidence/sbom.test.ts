import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { npmPackages, pythonPackages } from "../../../src/environment/installed.js";
import { packageDescription } from "../../../src/environment/package-root.js";
import { type Component, sbomText } from "../../../src/evidence/sbom.js";
import { pythonVerdicts } from "../../helpers/model-signing.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const COMPONENTS: Component[] = [
  {
    ecosystem: "npm",
    name: "@scope/b",
    version: "1.0.0+x",
    license: "(MIT OR Apache-2.0)",
    integrity: `sha512-${Buffer.alloc(64, 1).toString("base64")}`,
    needs: ["a@2.0.0"],
  },
  { ecosystem: "npm", name: "a", version: "2.0.0", license: "BSD License, see file", needs: ["gone@1.0.0"] },
];
const bill = (components: Component[], environment = "npm") =>
  sbomText({ environment, rerank_tune: "0.1.0", components, properties: { node: "20" } });

describe("a bill of materials", () => {
  test("has each package with its address, licence and digest where they are known", () => {
    const { components, dependencies } = JSON.parse(bill(COMPONENTS)) as Record<
      "components" | "dependencies",
      object[]
    >;
    expect(components).toEqual([
      {
        type: "library",
        "bom-ref": "pkg:npm/%40scope/b@1.0.0%2Bx",
        group: "@scope",
        name: "b",
        version: "1.0.0+x",
        purl: "pkg:npm/%40scope/b@1.0.0%2Bx",
        licenses: [{ expression: "(MIT OR Apache-2.0)" }],
        hashes: [{ alg: "SHA-512", content: "01".repeat(64) }],
      },
      { type: "library", "bom-ref": "pkg:npm/a@2.0.0", name: "a", version: "2.0.0", purl: "pkg:npm/a@2.0.0" },
    ]);
    expect(dependencies).toContainEqual({ ref: "pkg:npm/%40scope/b@1.0.0%2Bx", dependsOn: ["pkg:npm/a@2.0.0"] });
  });

  test("is the same text for the same packages in any order, without a time", () => {
    expect(bill([...COMPONENTS].reverse())).toBe(bill(COMPONENTS));
    expect(bill(COMPONENTS)).not.toMatch(/timestamp|serialNumber/);
  });

  test("spells names of PyPI as PyPI does", () => {
    expect(bill([{ ecosystem: "pypi", name: "Foo_Bar.baz", version: "1", needs: [] }])).toContain(
      "pkg:pypi/foo-bar-baz@1",
    );
  });

  test("of this machine holds what the tool asks for and nothing of its development, and fits the schema of CycloneDX 1.6", async () => {
    const folder = await temporaryFolder();
    const npm = await npmPackages();
    const python = await pythonPackages(join(folder, "nothing here"));
    const versions = new Map(npm.packages.map(({ name, version }) => [name, version]));
    for (const [name, version] of Object.entries(packageDescription().dependencies))
      expect(versions.get(name)).toBe(version);
    expect(versions.has("vitest")).toBe(false);
    expect(python.packages).toContainEqual(expect.objectContaining({ name: "onnxruntime", version: "1.30.0" }));
    expect(python.properties.installed).toBe("no");
    const texts = [
      sbomText({ environment: "npm", rerank_tune: "0.1.0", components: npm.packages, properties: npm.properties }),
      sbomText({
        environment: "python",
        rerank_tune: "0.1.0",
        components: python.packages,
        properties: python.properties,
      }),
      bill(COMPONENTS),
      bill(COMPONENTS).replace('"type":"library"', '"type":"book"'),
    ];
    const files = texts.map((_, at) => join(folder, `${at}.json`));
    for (const [at, file] of files.entries()) await writeFile(file, texts[at] ?? "");
    const found = pythonVerdicts(files.map((file) => ({ do: "bill", file })));
    expect(
      found.map(({ accepted }) => accepted),
      JSON.stringify(found),
    ).toEqual([true, true, true, false]);
    expect(texts.join("")).not.toMatch(/\/(home|root|Users|tmp|work)\//);
  });
});
