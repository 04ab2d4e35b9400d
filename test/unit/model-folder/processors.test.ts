// Which processors an int8 graph is right for, and what is said where it is not.
import { describe, expect, test } from "vitest";
import type { PackageManifest } from "../../../src/model-folder/layout.js";
import { adds8BitExactly, processorsOf } from "../../../src/model-folder/processors.js";
import { saturationWarning } from "../../../src/stages/verify/machine.js";

const OLD = { arch: "x64", flags: ["avx2"] };
const NEW = { arch: "x64", flags: ["avx2", "avx512f", "avx512_vnni"] };

describe("products of 8-bit weights", () => {
  test.each([
    [{ arch: "x64", flags: ["avx2", "avx512f"] }, false],
    [{ arch: "x64", flags: [] }, false],
    [{ arch: "x64", flags: ["avx_vnni"] }, true],
    [{ arch: "x64", flags: ["amx_int8"] }, true],
    [{ arch: "arm64", flags: [] }, true],
  ])("on %j are exact: %s", (processor, exact) => {
    expect(adds8BitExactly(processor)).toBe(exact);
  });

  test("are told with what to do elsewhere, those of 7 bits need nothing", () => {
    expect(processorsOf(8)).toContain("quantize.weight_bits: 7");
    expect(processorsOf(7)).toContain("every x86 and ARM64");
  });
});

describe("the warning of a proof", () => {
  const manifest = (bits: unknown, variant: "int8" | "fp32" = "int8") =>
    ({ quantization: { weight_bits: bits }, variants: [{ name: variant, files: [], bytes: 1 }] }) satisfies Pick<
      PackageManifest,
      "quantization" | "variants"
    >;

  test("comes where the int8 graph saturates, and says what to run", () => {
    expect(saturationWarning(manifest(8), OLD)).toContain("quantize.weight_bits=7");
  });

  test.each([
    ["a processor that adds in 32 bits", manifest(8), NEW],
    ["7-bit weights", manifest(7), OLD],
    ["a package without int8", manifest(8, "fp32"), OLD],
    ["a package that says nothing", manifest(undefined), OLD],
  ])("does not come with %s", (_, about, processor) => {
    expect(saturationWarning(about, processor)).toBeUndefined();
  });
});
