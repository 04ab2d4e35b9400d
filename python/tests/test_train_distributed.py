"""The train job in several processes under torchrun: as one process, on one machine and on two; and what a lost rank and a cancel do.

Gradients are summed in another order than in one process, so equal means: losses to LOSS of their value, weights to WEIGHT, dev NDCG exactly.
The biases of attention keys are left out: they shift all scores of a row alike, so softmax does not see them, and AdamW makes steps of the rounding in
a gradient that should be 0.
"""
import json
import os
import signal
import socket
import unittest

from safetensors.torch import load_file

from tests import torchrun_launch
from tests.train_workplace import Workplace

LOSS = 1e-5  # of its value
WEIGHT = 1e-6  # absolute; the learning rate of these runs is 2e-3
OPTIONS = {"epochs": 3, "evaluations": 3}


def setUpModule():
    global PLACE
    PLACE = Workplace("bert")


def tearDownModule():
    PLACE.cleanup()


def is_loss(event):
    return event["type"] == "metric" and event["name"] == "loss"


class TwoProcesses(unittest.TestCase):
    """One after another: what a lost or cancelled run has to equal is the first one."""

    @classmethod
    def setUpClass(cls):
        PLACE.run("one", **OPTIONS)
        cls.events, cls.log = cls.launch("two", **OPTIONS)

    @classmethod
    def launch(cls, out, on_event=lambda agent, event: None, **options):
        agent = torchrun_launch.start(torchrun_launch.write_job(PLACE, out, **options), *torchrun_launch.one_machine(2))
        result = torchrun_launch.finish(agent, lambda event: on_event(agent, event))
        cls.exit_code = agent.returncode
        return result

    def test_they_train_as_one_process_does(self):
        self.assertEqual(self.events[-1]["type"], "done", self.log)
        same_training(self, "two", "one")

    def test_rank_0_alone_speaks(self):
        self.assertEqual([event["type"] for event in self.events].count("hello"), 1)
        self.assertEqual([event["seq"] for event in self.events], list(range(len(self.events))))

    def test_the_record_counts_the_work_of_both(self):
        one, two = (record(out, "throughput.json") for out in ("one", "two"))
        self.assertEqual((one["processes"], two["processes"]), (1, 2))
        tokens = [body["train_tokens_per_second"] * body["train_seconds"] for body in (one, two)]
        self.assertAlmostEqual(tokens[0], tokens[1], delta=1)

    def test_a_killed_rank_is_named_and_the_next_run_ends_as_an_undisturbed_one(self):
        def kill(agent, event):
            if is_loss(event) and event["step"] == 5:
                os.kill(torchrun_launch.ranks_of(agent)[1], signal.SIGKILL)

        events, log = self.launch("killed", kill, **OPTIONS)
        error = events[-1]
        self.assertEqual((error["type"], error["code"], error["retryable"]), ("error", "WORKER_CRASHED", True), log)
        self.assertRegex(error["message"], r"^rank 1 was lost at step \d+$")
        self.assertIn("run the same command again", error["hint"])
        self.assertNotEqual(self.exit_code, 0)
        events, log = self.launch("killed", **OPTIONS)
        self.assertTrue(any("resumed at step" in event.get("message", "") for event in events), log)
        self.assertEqual(PLACE.results("killed"), PLACE.results("two"))

    def test_cancel_on_stdin_ends_all_ranks_after_a_checkpoint(self):
        ranks = {}

        def cancel(agent, event):
            if is_loss(event) and event["step"] == 5:
                ranks.update(torchrun_launch.ranks_of(agent))
                agent.stdin.write('{"type": "cancel"}\n')
                agent.stdin.flush()

        events, log = self.launch("cancelled", cancel, **{**OPTIONS, "epochs": 300, "checkpoint_seconds": 9999})
        self.assertNotIn(events[-1]["type"], ("done", "error"), log)
        self.assertEqual(sorted(ranks), [0, 1])
        self.assertEqual([rank for rank, process in ranks.items() if os.path.exists(f"/proc/{process}")], [])
        self.assertTrue(os.path.isfile(PLACE.path("cancelled", "checkpoint", "state.pt")))


class TwoMachines(unittest.TestCase):
    def test_two_agents_train_as_one_process_does_also_where_the_last_step_has_one_query(self):
        """18 queries in steps of 17; with the base's scores, which rank 1 has from rank 0; from folders that they do not share."""
        options = {"queries_per_step": 17, "kl_to_base": 0.5, "epochs": 2, "evaluations": 2}
        PLACE.run("alone", **options)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        second = torchrun_launch.start(torchrun_launch.write_job(PLACE, "node-1", **options), *torchrun_launch.one_of_two_machines(1, port), stdout=None)
        first = torchrun_launch.start(torchrun_launch.write_job(PLACE, "node-0", **options), *torchrun_launch.one_of_two_machines(0, port))
        events, log = torchrun_launch.finish(first)
        _, other_log = second.communicate(timeout=torchrun_launch.LIMIT)
        self.assertEqual((events[-1]["type"], first.returncode, second.returncode), ("done", 0, 0), log + other_log)
        same_training(self, "node-0", "alone")
        self.assertEqual(PLACE.results("node-1"), {})


def record(out, name):
    with open(PLACE.path(out, "records", name), encoding="utf-8") as file:
        return json.load(file)


def rows(out):
    with open(PLACE.path(out, "records", "history.jsonl"), encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def same_training(test, out, reference):
    """Every evaluation alike, and the weights that were kept."""
    found, wanted = rows(out), rows(reference)
    test.assertEqual([row["step"] for row in found], [row["step"] for row in wanted])
    for row, other in zip(found[1:], wanted[1:]):
        test.assertAlmostEqual(row["loss"] / other["loss"], 1, delta=LOSS)
    test.assertEqual([row["dev_ndcg@10"] for row in found], [row["dev_ndcg@10"] for row in wanted])
    weights, others = (load_file(PLACE.path(name, "model", "model.safetensors")) for name in (out, reference))
    test.assertLess(max(float((weights[name] - others[name]).abs().max()) for name in others if not name.endswith("key.bias")), WEIGHT)


if __name__ == "__main__":
    unittest.main()
