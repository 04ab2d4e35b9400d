import { describe, expect, test } from "vitest";
import type { Launch } from "../../../src/environment/python-runtime.js";
import { type Machine, startCommand } from "../../../src/worker/launch.js";

const RUNTIME = { executable: "/env/bin/python", worker: "/pkg/worker.py" };
const WORKER = ["-I", "-u", "/pkg/worker.py", "--job", "/out/job.json"];

function start(launch?: Partial<Launch>, machine: Partial<Machine> = {}) {
  const whole = launch === undefined ? undefined : { processes: 2, nodes: 1, nodeRank: 0, ...launch };
  return startCommand(RUNTIME, "/out/job.json", whole, { cores: 9, platform: "linux", variables: {}, ...machine });
}

describe("the start of a job", () => {
  test("in one process is worker.py itself, with nothing added", () => {
    expect(start()).toEqual({ file: "/env/bin/python", args: WORKER, variables: {} });
  });

  test("in two is torchrun, isolated, and so are the ranks it starts", () => {
    expect(start({})).toEqual({
      file: "/env/bin/python",
      args: [
        ...[
          "-I",
          "-m",
          "torch.distributed.run",
          "--nnodes",
          "1",
          "--standalone",
          "--nproc-per-node",
          "2",
          "--max-restarts",
          "0",
        ],
        ...["--no-python", "/env/bin/python", ...WORKER],
      ],
      variables: { OMP_NUM_THREADS: "4", GLOO_SOCKET_IFNAME: "lo" },
    });
  });

  test("on two machines numbers them as the person did, and waits for the slower one", () => {
    const { args, variables } = start({ processes: 1, nodes: 2, nodeRank: 1, rendezvous: "first:29400" });
    expect(args.slice(0, args.indexOf("--no-python"))).toEqual([
      ...["-I", "-m", "torch.distributed.run", "--nnodes", "2", "--node-rank", "1"],
      ...["--rdzv-backend", "static", "--rdzv-endpoint", "first:29400", "--rdzv-conf", "timeout=1800"],
      ...["--nproc-per-node", "1", "--max-restarts", "0"],
    ]);
    expect(variables).toEqual({});
  });
});

describe("the environment of its processes", () => {
  test("shares the cores, one at least", () => {
    expect(start({ processes: 3 }).variables.OMP_NUM_THREADS).toBe("3");
    expect(start({ processes: 16 }).variables.OMP_NUM_THREADS).toBe("1");
  });

  test("leaves alone what the person set", () => {
    const variables = { OMP_NUM_THREADS: "7", GLOO_SOCKET_IFNAME: "eth0" };
    expect(start({}, { variables }).variables).toEqual({});
  });

  test("keeps the talk on one machine inside it, where the name of its loopback is known", () => {
    expect(start({}, { platform: "darwin" }).variables.GLOO_SOCKET_IFNAME).toBe("lo0");
    expect(start({}, { platform: "win32" }).variables.GLOO_SOCKET_IFNAME).toBeUndefined();
    expect(start({ nodes: 2, rendezvous: "first:1" }).variables.GLOO_SOCKET_IFNAME).toBeUndefined();
  });
});
