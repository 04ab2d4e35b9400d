"""Starts the real worker under torchrun, as the CLI does, and reads what it says."""
import json
import os
import subprocess
import sys
import threading

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "worker.py")
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"
LIMIT = 120  # seconds; a hang fails the test instead of the whole run


def start(job_file, *launch, **pipes):
    """A torchrun agent. Its standard output carries rank 0's events."""
    command = [sys.executable, "-I", "-m", "torch.distributed.run", *launch, "--max-restarts", "0", "--no-python"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": LOOPBACK}
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **pipes}
    return subprocess.Popen([*command, sys.executable, "-I", "-u", WORKER, "--job", job_file], env=environment, text=True, **streams)


def one_machine(processes):
    return ("--standalone", "--nproc-per-node", str(processes))


def one_of_two_machines(node, port):
    return ("--nnodes", "2", "--node-rank", str(node), "--nproc-per-node", "1", "--rdzv-backend", "static", "--rdzv-endpoint", f"127.0.0.1:{port}", "--rdzv-conf", "timeout=60")


def write_job(place, out, **options):
    file = place.path(f"{out}.json")
    with open(file, "w", encoding="utf-8") as handle:
        json.dump(vars(place.make_job(out, **options)), handle)
    return file


def finish(process, on_event=lambda event: None):
    """Events and log of an agent. Its standard input stays open: its end would cancel."""
    log = []
    reader = threading.Thread(target=lambda: log.append(process.stderr.read()), daemon=True)
    reader.start()
    killer = threading.Timer(LIMIT, process.kill)
    killer.start()
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        on_event(events[-1])
    process.wait()
    killer.cancel()
    reader.join()
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
    return events, log[0]


def ranks_of(agent):
    """Process ids of an agent's ranks, by rank."""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="ascii", errors="replace") as file:
                parent = int(file.read().rsplit(")", 1)[1].split()[1])
            if parent == agent.pid:
                with open(f"/proc/{name}/environ", encoding="utf-8", errors="replace") as file:
                    variables = dict(item.split("=", 1) for item in file.read().split("\0") if "=" in item)
                found[int(variables["RANK"])] = int(name)
        except (OSError, KeyError, ValueError):
            continue
    return found
