// `env`: builds what a run needs on this machine (the pinned Python environment and onnxruntime-node) and says where it is.
import { onnxRuntimeEntry, onnxRuntimeVersion } from "../environment/onnxruntime.js";
import { addOpenvino } from "../environment/openvino.js";
import { ensurePython, findReadyEnvironment } from "../environment/python-environment.js";
import { RerankTuneError } from "../errors.js";
import type { Renderable } from "../ui/output.js";
import type { CommandContext } from "./context.js";

export interface EnvData {
  home: string;
  python: { executable: string; version: string; folder: string; torch: string };
  onnxruntime_node: { entry: string; version: string };
}

export interface EnvFlags {
  rebuild?: boolean;
  openvino?: boolean;
}

export async function prepareEnvironment(flags: EnvFlags, context: CommandContext): Promise<Renderable> {
  const { home, emit, signal } = context;
  const { executable } = await ensurePython({ home, emit, signal, rebuild: flags.rebuild ?? false });
  const ready = await findReadyEnvironment(home);
  if (ready === undefined || ready.executable !== executable)
    throw new RerankTuneError({
      code: "ENVIRONMENT_BROKEN",
      message: `${executable} is not there after it was built.`,
      hint: "run `rerank-tune env --rebuild`",
    });
  if (flags.openvino === true)
    await addOpenvino({ folder: ready.folder, executable, variables: process.env, signal, emit });
  const entry = await onnxRuntimeEntry({ home, emit, signal });
  const data: EnvData = {
    home,
    python: { executable, version: ready.stamp.python, folder: ready.folder, torch: ready.stamp.torch },
    onnxruntime_node: { entry, version: onnxRuntimeVersion() },
  };
  return { data, essential: executable, text: () => environmentText(data) };
}

function environmentText({ python, onnxruntime_node }: EnvData): string {
  return [
    `python            ${python.version} (torch ${python.torch})`,
    `                  ${python.executable}`,
    `onnxruntime-node  ${onnxruntime_node.version}`,
    `                  ${onnxruntime_node.entry}`,
  ].join("\n");
}
