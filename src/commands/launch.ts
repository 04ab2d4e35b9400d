// Flags that say where training runs, and what they mean together.
import type { Launch } from "../environment/python-runtime.js";
import { RerankTuneError } from "../errors.js";

export interface LaunchFlags {
  processes?: number;
  nodes?: number;
  nodeRank?: number;
  rendezvous?: string;
}

/**
 * @returns undefined for one process on one machine, which needs no torchrun.
 * @throws RerankTuneError USAGE for flags that contradict one another.
 */
export function launchOf(flags: LaunchFlags): Launch | undefined {
  const { processes = 1, nodes = 1, nodeRank, rendezvous } = flags;
  if (nodes === 1) {
    if (nodeRank !== undefined || rendezvous !== undefined)
      throw usage(
        `${nodeRank === undefined ? "--rendezvous" : "--node-rank"} needs --nodes.`,
        "add `--nodes 2`, or leave it out",
      );
    return processes === 1 ? undefined : { processes, nodes, nodeRank: 0 };
  }
  if (nodeRank === undefined || rendezvous === undefined)
    throw usage(
      `--nodes ${nodes} needs --node-rank and --rendezvous.`,
      `on the first machine add \`--node-rank 0 --rendezvous HOST:29400\` with its own name, on the others the same with --node-rank ${nodes === 2 ? "1" : `1 to ${nodes - 1}`}`,
    );
  if (nodeRank >= nodes)
    throw usage(`--node-rank ${nodeRank} is none of 0 to ${nodes - 1}.`, `use \`--node-rank ${nodes - 1}\` or less`);
  if (!/^\S+:\d{1,5}$/.test(rendezvous))
    throw usage(
      `--rendezvous ${rendezvous} is not HOST:PORT.`,
      "use the name of machine 0 and a free port of it, such as `--rendezvous node0:29400`",
    );
  return { processes, nodes, nodeRank, rendezvous };
}

function usage(message: string, hint: string): RerankTuneError {
  return new RerankTuneError({ code: "USAGE", message, hint });
}
