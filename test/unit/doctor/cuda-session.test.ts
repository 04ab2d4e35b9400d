import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkLibraries, libraryFindings, missingLibraries } from "../../../src/doctor/cuda/libraries.js";
import { checkSession } from "../../../src/doctor/cuda/session.js";
import { findOnnxRuntime } from "../../../src/environment/onnxruntime.js";
import { temporaryFolder } from "../../helpers/temporary-folder.js";

const signal = new AbortController().signal;

/** As ldd prints it for the provider on a machine with a driver and no CUDA. */
const LDD = `	linux-vdso.so.1 (0x00007ffd8a5f2000)
	libcublasLt.so.12 => not found
	libcublas.so.12 => not found
	libcurand.so.10 => not found
	libcudart.so.12 => not found
	libcudnn.so.9 => not found
	libcuda.so.1 => /usr/lib/x86_64-linux-gnu/libcuda.so.1 (0x00007f1d0c000000)
	libnvrtc.so.12 => not found
	libcudart.so.12 => not found
	libstdc++.so.6 => /lib/x86_64-linux-gnu/libstdc++.so.6 (0x00007f1d0be00000)
	/lib64/ld-linux-x86-64.so.2 (0x00007f1d5c9f9000)
`;

describe("the libraries of the CUDA provider", () => {
  test("that are missing are named once each, with who brings them", () => {
    const missing = missingLibraries(LDD);
    expect(missing).toEqual([
      "libcublasLt.so.12",
      "libcublas.so.12",
      "libcurand.so.10",
      "libcudart.so.12",
      "libcudnn.so.9",
      "libnvrtc.so.12",
    ]);
    const findings = libraryFindings([...missing, "libcuda.so.1", "libunheard.so.1"]);
    const told = (name: string) => findings.find(({ message }) => message.includes(` ${name} `));
    expect(told("libcudart.so.12")).toMatchObject({
      severity: "error",
      remedy: expect.stringMatching(/cuda-libraries-12.*LD_LIBRARY_PATH/),
    });
    expect(told("libnvrtc.so.12")?.message).toContain("the CUDA 12 toolkit");
    expect(told("libcudnn.so.9")?.remedy).toContain("libcudnn9-cuda-12");
    expect(told("libcuda.so.1")?.message).toContain("the NVIDIA driver");
    expect(told("libunheard.so.1")?.message).toContain("the system");
  });

  test("that are all there are one good finding", () => {
    expect(libraryFindings([])).toEqual([expect.objectContaining({ severity: "ok" })]);
  });

  test.runIf(process.platform === "linux")("are asked of the system's loader", async () => {
    expect(await checkLibraries(process.execPath)).toEqual([expect.objectContaining({ severity: "ok" })]);
    const text = join(await temporaryFolder(), "no-library.so");
    await writeFile(text, "text");
    expect(await checkLibraries(text)).toEqual([expect.objectContaining({ severity: "warning" })]);
  });
});

describe("a session", () => {
  test("that computes is proven by its result and its profile", async () => {
    expect(await checkSession(findOnnxRuntime() ?? "", "cpu", signal)).toEqual({
      severity: "ok",
      message: "a cpu session computes (nodes: CPU 100.0 %)",
    });
  });

  /** A library that behaves in one way, for what no machine here does. */
  async function session(body: string) {
    const entry = join(await temporaryFolder(), "runtime.cjs");
    await writeFile(
      entry,
      `class Tensor { constructor(type, data) { this.data = data; } }
exports.Tensor = Tensor;
exports.InferenceSession = { create: async (model, options) => { ${body} } };
function opened(result, provider, options) {
  const line = { cat: "Node", name: "MatMul_kernel_time", args: { provider, node_index: "0" } };
  const endProfiling = () => require("node:fs").writeFileSync(options.profileFilePrefix + "_1.json", JSON.stringify([line]));
  return { run: async () => ({ y: { data: Float32Array.from(result) } }), endProfiling };
}`,
    );
    return await checkSession(entry, "cuda", signal);
  }

  test("on CUDA passes when CUDA computed it", async () => {
    const found = await session(`return opened([26, 38], "CUDAExecutionProvider", options);`);
    expect(found).toEqual({ severity: "ok", message: "a cuda session computes (nodes: CUDA 100.0 %)" });
  });

  test("whose nodes the CPU took in silence does not pass", async () => {
    const found = await session(`return opened([26, 38], "CPUExecutionProvider", options);`);
    expect(found).toMatchObject({ severity: "error", message: expect.stringContaining("ran on: CPU 100.0 %") });
  });

  test("that computes something else does not pass", async () => {
    const found = await session(`return opened([0, 0], "CUDAExecutionProvider", options);`);
    expect(found).toMatchObject({
      severity: "error",
      message: expect.stringContaining("[0,0] where [26,38] is right"),
    });
  });

  test("that throws is told with the last line of why", async () => {
    const found = await session(`throw new Error("a long tale\\nFailed to load shared library");`);
    expect(found).toMatchObject({
      severity: "error",
      message: expect.stringContaining(": Failed to load shared library"),
    });
  });

  test("that aborts takes only its own process down", async () => {
    const found = await session(`process.abort();`);
    expect(found.severity).toBe("error");
  });

  test("on CUDA without the CUDA files is told with ONNX Runtime's own reason", async ({ skip }) => {
    const found = await checkSession(findOnnxRuntime() ?? "", "cuda", signal);
    if (found.severity === "ok") skip("CUDA works here");
    expect(found.message).toMatch(/^no cuda session can be opened: .+/);
  });
});
