// Where a training job runs: one process, several on this machine, or several machines. Builds torchrun's command line and starts nothing.
import { availableParallelism } from "node:os";
import type { Launch } from "../environment/python-runtime.js";

export interface Start {
  file: string;
  args: string[];
  /** Variables added to the child's environment. */
  variables: Record<string, string>;
}

/** What the machine adds to the decision; given by tests. */
export interface Machine {
  cores: number;
  platform: NodeJS.Platform;
  variables: NodeJS.ProcessEnv;
}

/** Seconds that machines wait for one another: one may still download the base or prepare the data. */
export const RENDEZVOUS_SECONDS = 1800;
/** Seconds that torchrun gets to end its ranks: after SIGTERM it waits 30 for them and then kills them. */
export const LAUNCHER_STOP_SECONDS = 45;

/**
 * @param launch undefined for one process.
 * @returns what starts worker.py on a job; standard input and output are those of rank 0 in every case.
 */
export function startCommand(
  runtime: { executable: string; worker: string },
  jobFile: string,
  launch: Launch | undefined,
  machine: Machine = { cores: availableParallelism(), platform: process.platform, variables: process.env },
): Start {
  const worker = ["-I", "-u", runtime.worker, "--job", jobFile];
  if (launch === undefined) return { file: runtime.executable, args: worker, variables: {} };
  const torchrun = ["-I", "-m", "torch.distributed.run", ...place(launch)];
  // A rank would otherwise start without -I.
  const ranks = ["--nproc-per-node", String(launch.processes), "--max-restarts", "0", "--no-python"];
  return {
    file: runtime.executable,
    args: [...torchrun, ...ranks, runtime.executable, ...worker],
    variables: { ...threads(launch, machine), ...loopback(launch, machine) },
  };
}

function place({ nodes, nodeRank, rendezvous }: Launch): string[] {
  // Said in every case: job operators set PET_NNODES, which torchrun takes where nothing is said.
  const count = ["--nnodes", String(nodes)];
  if (nodes === 1) return [...count, "--standalone"];
  // Static: c10d numbers the machines by itself, and results belong on the one that the person called 0.
  const meeting = ["--rdzv-backend", "static", "--rdzv-endpoint", rendezvous ?? ""];
  const patience = ["--rdzv-conf", `timeout=${RENDEZVOUS_SECONDS}`];
  return [...count, "--node-rank", String(nodeRank), ...meeting, ...patience];
}

/** Each process would take all cores; torchrun's own answer is one thread each. */
function threads({ processes }: Launch, { cores, variables }: Machine): Record<string, string> {
  if (processes === 1 || variables.OMP_NUM_THREADS !== undefined) return {};
  return { OMP_NUM_THREADS: String(Math.max(1, Math.floor(cores / processes))) };
}

/** On one machine nothing has to be heard outside it, and the host's own name need not be known to anyone. */
function loopback({ nodes }: Launch, { platform, variables }: Machine): Record<string, string> {
  const name = { linux: "lo", darwin: "lo0" }[platform as string];
  if (nodes > 1 || name === undefined || variables.GLOO_SOCKET_IFNAME !== undefined) return {};
  return { GLOO_SOCKET_IFNAME: name };
}
