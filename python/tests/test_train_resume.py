"""Exact resume of the train job: killed, cancelled or stopped anywhere, it ends with the bytes of an undisturbed run."""
import json
import os
import signal
import subprocess
import sys
import unittest

from rerank_tune_worker.reporter import Cancelled
from tests.train_workplace import DyingReporter, Killed, Workplace

WORKER = os.path.join(os.path.dirname(__file__), "..", "worker.py")


def setUpModule():
    global PLACE
    PLACE = Workplace("bert")


def tearDownModule():
    PLACE.cleanup()


class Resume(unittest.TestCase):
    def test_dying_at_any_event_and_starting_again_gives_the_same_bytes(self):
        whole = DyingReporter()
        PLACE.run("whole", reporter=whole)
        expected = PLACE.results("whole")
        for at in range(2, len(whole.events)):
            out = f"died-{at}"
            with self.assertRaises(Killed):
                PLACE.run(out, reporter=DyingReporter(at))
            PLACE.run(out)
            self.assertEqual(PLACE.results(out), expected, f"after dying at event {at}: {whole.events[at]}")

    def test_dropout_and_rare_checkpoints_resume_exactly_too(self):
        options = {"dropout": True, "checkpoint_seconds": 0, "epochs": 1}
        PLACE.run("dropout-whole", **options)
        events = DyingReporter(9)
        with self.assertRaises(Killed):
            PLACE.run("dropout-died", reporter=events, **options)
        PLACE.run("dropout-died", **options)
        self.assertEqual(PLACE.results("dropout-died"), PLACE.results("dropout-whole"))

    def test_cancelling_saves_a_checkpoint_whatever_its_interval(self):
        whole = DyingReporter()
        PLACE.run("uncancelled", reporter=whole)
        fifth_step = whole.events.index(("progress", 5, 10, "steps"))
        with self.assertRaises(Cancelled):
            PLACE.run("cancelled", reporter=DyingReporter(fifth_step, Cancelled), checkpoint_seconds=9999)
        self.assertTrue(os.path.isfile(PLACE.path("cancelled", "checkpoint", "state.pt")))
        reporter = DyingReporter()
        PLACE.run("cancelled", reporter=reporter)
        self.assertTrue(any("resumed at step" in getattr(e, "message", "") for e in reporter.events))
        self.assertEqual(PLACE.results("cancelled"), PLACE.results("uncancelled"))

    def test_a_process_killed_by_sigkill_again_and_again_ends_with_the_same_bytes(self):
        PLACE.run("process-whole", epochs=6)
        for losses in (1, 2, 1, None):
            code = self.worker("process-killed", losses, epochs=6)
            self.assertEqual(code, 0 if losses is None else -signal.SIGKILL)
        self.assertEqual(PLACE.results("process-killed"), PLACE.results("process-whole"))

    def test_two_threads_and_bf16_resume_exactly_too(self):
        options = {"epochs": 4, "precision": "bf16", "checkpoint_seconds": 0}
        self.assertEqual(self.worker("threads-whole", None, threads=2, **options), 0)
        for losses in (1, 2, None):
            self.worker("threads-killed", losses, threads=2, **options)
        self.assertEqual(PLACE.results("threads-killed"), PLACE.results("threads-whole"))

    def test_the_first_metric_after_a_resume_is_that_of_the_last_evaluation(self):
        whole = DyingReporter()
        PLACE.run("shown-whole", reporter=whole)
        last_step = whole.events.index(("progress", 10, 10, "steps"))
        with self.assertRaises(Killed):
            PLACE.run("shown", reporter=DyingReporter(last_step))
        resumed = DyingReporter()
        PLACE.run("shown", reporter=resumed)
        measured = [event for event in whole.events[:last_step] if getattr(event, "name", "") == "ndcg@10"]
        first = next(event for event in resumed.events if getattr(event, "name", "") == "ndcg@10")
        self.assertGreater(measured[-1].step, 0)
        self.assertEqual((first.step, first.value), (measured[-1].step, measured[-1].value))

    def test_sigterm_saves_and_exits_with_130(self):
        self.assertEqual(self.worker("terminated", 2, stop=signal.SIGTERM, epochs=200, checkpoint_seconds=9999), 130)
        self.assertTrue(os.path.isfile(PLACE.path("terminated", "checkpoint", "state.pt")))

    def worker(self, out, losses, stop=signal.SIGKILL, threads=1, **options):
        """Runs the real worker and sends `stop` after so many loss events. Returns its exit code."""
        file = PLACE.path(f"{out}.json")
        with open(file, "w") as handle:
            json.dump(vars(PLACE.make_job(out, **options)), handle)
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        seen = 0
        with subprocess.Popen([sys.executable, "-u", WORKER, "--job", file], env=environment, **pipes) as process:
            for line in process.stdout:
                seen += b'"loss"' in line
                if seen == losses:
                    process.send_signal(stop)
                    losses = None
            return process.wait()


if __name__ == "__main__":
    unittest.main()
