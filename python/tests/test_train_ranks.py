"""The parts of training in several processes, one at a time and in one process: shares, messages, digests, and how a rank ends."""
import io
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
from unittest import mock

import torch

from rerank_tune_worker.launch import Launch, read_launch
from rerank_tune_worker.reporter import Cancelled, FollowerReporter, JobError, RankLost, Reporter
from rerank_tune_worker.protocol import Error, Log
from rerank_tune_worker.training import distributed
from rerank_tune_worker.training.distributed import CANCEL, END, LEAVE, STEP, WAIT, Follower, Leader, digests
from rerank_tune_worker.training.step_gradients import StepReport, shares

PYTHON = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


class FakeGroup:
    """A rank's side of the talk. `script`: what rank 0 says to a follower; `lost_at`: the message at which a connection is gone."""

    def __init__(self, rank=0, script=(), facts=None, lost_at=None):
        self.launch, self.where = Launch(rank, 2, rank, 2), "before the first step"
        self.told, self._script, self._facts, self._lost_at = [], list(script), facts, lost_at

    def tell(self, numbers):
        if len(self.told) == self._lost_at:
            raise RankLost("rank 1", self.where)
        self.told.append(self._script.pop(0) if self._script else tuple(numbers))
        return self.told[-1]

    def compare(self, facts):
        return [facts, self._facts or facts]

    def sum(self, numbers):
        return list(numbers)

    def spread_tensors(self, tensors):
        pass


class Shares(unittest.TestCase):
    def test_the_costliest_group_goes_first_to_the_rank_with_least(self):
        self.assertEqual(shares([5, 9, 1, 4, 3], 2), [[1, 4], [0, 2, 3]])

    def test_one_rank_has_all_in_order_and_some_have_none_where_there_are_few(self):
        self.assertEqual(shares([5, 9, 1], 1), [[0, 1, 2]])
        self.assertEqual(shares([7], 3), [[0], [], []])

    def test_a_report_survives_its_way_as_numbers(self):
        report = StepReport(tokens=7, pairs=3)
        report.sums.group_loss, report.sums.groups = 0.25, 2
        self.assertEqual(StepReport.of_numbers(report.numbers()), report)
        self.assertIsInstance(StepReport.of_numbers(report.numbers()).sums.groups, int)

    def test_only_torchrun_makes_several_processes(self):
        operator = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "LOCAL_WORLD_SIZE": "1"}
        self.assertEqual(read_launch(operator), Launch())
        self.assertEqual(read_launch({**operator, "TORCHELASTIC_RUN_ID": "x"}), Launch(1, 2, 0, 1))

    def test_digests_tell_which_part_differs(self):
        def of(rate=1.0, data="a", seed=0):
            torch.manual_seed(seed)
            return digests({"rate": rate}, [data], torch.nn.Linear(2, 1))

        def different(other):
            return [name for name, digest in of().items() if other[name] != digest]

        self.assertEqual(different(of()), [])
        self.assertEqual(different(of(rate=2.0)), ["`train` section of the recipe"])
        self.assertEqual(different(of(data="b")), ["training split"])
        self.assertEqual(different(of(seed=1)), ["base model"])


class Talk(unittest.TestCase):
    def test_a_rank_with_other_data_is_refused_by_name(self):
        leader = Leader(FakeGroup(facts={"training split": "a", "base model": "b"}), reporter())
        with self.assertRaises(JobError) as caught:
            leader.check_same(lambda: {"training split": "a", "base model": "c"})
        self.assertEqual((caught.exception.code, caught.exception.message), ("DATA_INVALID", "rank 1 has another base model than rank 0"))

    def test_a_follower_waits_through_heartbeats_and_stops_with_its_leader(self):
        follower = Follower(FakeGroup(1, [(WAIT, 0), (STEP, 4), (WAIT, 0), (END, 0), (CANCEL, 0)]))
        self.assertEqual([follower.next_step({}), follower.next_step({})], [4, None])
        with self.assertRaises(Cancelled):
            follower.next_step({})

    def test_a_leader_dismisses_once_and_tells_of_a_cancel_once(self):
        group = FakeGroup()
        with Leader(group, reporter()) as leader:
            leader.check_same(dict)
            leader.dismiss()
        self.assertEqual(group.told, [(LEAVE, 0)])
        group = FakeGroup()
        with self.assertRaises(Cancelled), Leader(group, reporter()) as leader:
            leader.check_same(dict)
            raise Cancelled()
        self.assertEqual(group.told, [(CANCEL, 0)])

    def test_a_rank_lost_while_rank_0_works_alone_stops_it_at_its_next_look(self):
        told = reporter()
        with mock.patch.object(distributed, "HEARTBEAT", 0.01), self.assertRaises(RankLost), Leader(FakeGroup(lost_at=2), told) as leader:
            leader.check_same(dict)
            while True:
                told.check_cancelled()

    def test_a_wish_to_stop_after_which_a_rank_does_not_answer_is_a_lost_rank(self):
        with self.assertRaises(RankLost), Leader(FakeGroup(lost_at=0), reporter()) as leader:
            leader.check_same(dict)
            raise Cancelled()

    def test_no_heartbeat_comes_between_the_messages_of_a_step(self):
        group = FakeGroup()
        with mock.patch.object(distributed, "HEARTBEAT", 0.001), Leader(group, reporter()) as leader:
            leader.check_same(dict)
            leader.open_step(0, {})
            count = len(group.told)
            time.sleep(0.05)
            self.assertEqual(len(group.told), count)

    def test_followers_say_nothing_but_errors(self):
        with mock.patch("sys.stderr", io.StringIO()) as log:
            follower = FollowerReporter(3, "train")
            follower.send(Log("info", "step", "train"))
            follower.send(Error("DATA_INVALID", "no groups", "add some", False, None))
        self.assertEqual(log.getvalue(), "rank 3: DATA_INVALID: no groups; add some\n")


class Ending(unittest.TestCase):
    def test_a_rank_that_hangs_after_sigterm_reports_and_ends(self):
        code = "import signal, time; signal.signal(signal.SIGTERM, lambda *_: None); from rerank_tune_worker.launch import when_stuck; when_stuck(lambda: print('stuck', flush=True), 0.1); print('ready', flush=True); time.sleep(60)"
        with subprocess.Popen([sys.executable, "-c", code], cwd=PYTHON, stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.send_signal(signal.SIGTERM)
            self.assertEqual((process.stdout.read(), process.wait()), ("stuck\n", 1))

    def test_a_rank_ends_once_its_launcher_is_gone(self):
        rank = "import time; from rerank_tune_worker.launch import end_with_launcher; end_with_launcher(0.05); print('ready', flush=True); time.sleep(60)"
        launcher = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {rank!r}], start_new_session=True); sys.stdin.read()"
        with subprocess.Popen([sys.executable, "-c", launcher], cwd=PYTHON, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            self.assertEqual(process.stdout.readline(), "ready\n")
            process.kill()
            watchdog = threading.Timer(20, process.stdout.close)
            watchdog.start()
            self.assertEqual(process.stdout.read(), "")  # the end of the pipe: nobody holds it any more
            watchdog.cancel()


def reporter():
    return Reporter(io.StringIO(), "test")


if __name__ == "__main__":
    unittest.main()
