// Does CUDA work for scoring? Looked at where its files are or a driver is; an absent GPU is no fault.
import { findOnnxRuntime } from "../../environment/onnxruntime.js";
import { hasNvidiaDriver } from "../../environment/torch-source.js";
import { type Check, type Finding, ok, warning } from "../check.js";
import { checkLibraries } from "../cuda/libraries.js";
import { installedProvider } from "../cuda/package.js";
import { checkSession } from "../cuda/session.js";

export const cudaCheck: Check = {
  name: "cuda",
  run: async ({ home, needsCuda = false, signal }) => {
    const entry = findOnnxRuntime({ home });
    const provider = entry === undefined ? undefined : installedProvider(entry);
    if (entry !== undefined && provider !== undefined) {
      const findings = [...(await checkLibraries(provider)), await checkSession(entry, "cuda", signal)];
      return needsCuda ? findings : findings.map(asWarning);
    }
    if (!hasNvidiaDriver())
      return [ok("scoring runs on the CPU: the CUDA files of onnxruntime-node are not installed")];
    return [
      warning(
        "an NVIDIA driver is here, but onnxruntime-node has no CUDA files: scoring runs on the CPU",
        "run `rerank-tune doctor --install-cuda`",
      ),
    ];
  },
};

/** Without CUDA scoring goes on on the CPU. */
const asWarning = (finding: Finding): Finding =>
  finding.severity === "error" ? { ...finding, severity: "warning" } : finding;
