// Which machines the pinned packages exist for. Says no before anything is downloaded.
import { existsSync } from "node:fs";
import { arch, platform } from "node:process";
import { RerankTuneError } from "../errors.js";

/** torch 2.13.0 and onnxruntime-node 1.30.0 both have binaries for these (onnx.md §8). */
export const SUPPORTED_PLATFORMS = ["linux-x64", "linux-arm64", "darwin-arm64", "win32-x64"] as const;

/** Throws PLATFORM_UNSUPPORTED for a system, processor or C library without wheels. */
export function requireSupportedPlatform(system: string = `${platform}-${arch}`, musl: boolean = usesMusl()): void {
  const supported = (SUPPORTED_PLATFORMS as readonly string[]).includes(system);
  if (supported && !musl) return;
  const name = musl ? `${system} with musl (Alpine)` : system;
  throw new RerankTuneError({
    code: "PLATFORM_UNSUPPORTED",
    message: `rerank-tune does not run on ${name}: PyTorch and onnxruntime have no builds for it.`,
    hint: "use Linux with glibc (x64, arm64), macOS on Apple silicon, or Windows x64; a container such as `docker run -it node:22-bookworm` will do",
  });
}

/** musl's loader is at a fixed place; asking Node's report instead costs 30 ms. */
function usesMusl(): boolean {
  if (platform !== "linux") return false;
  const name = arch === "arm64" ? "aarch64" : "x86_64";
  const glibc = [`/lib64/ld-linux-x86-64.so.2`, `/lib/ld-linux-aarch64.so.1`].some((path) => existsSync(path));
  return !glibc && existsSync(`/lib/ld-musl-${name}.so.1`);
}
