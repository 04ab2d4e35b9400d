"""The goldens of test/contract are read and given back unchanged; needs no torch."""
import io
import json
import pathlib
import time
import unittest

from rerank_tune_worker import protocol
from rerank_tune_worker.reporter import FollowerReporter, Reporter

CONTRACT = pathlib.Path(__file__).resolve().parents[2] / "test" / "contract"


class Goldens(unittest.TestCase):
    def test_every_event_is_read_and_given_back_unchanged(self):
        for path in sorted((CONTRACT / "events").glob("*.json")):
            with self.subTest(path.name):
                golden = json.loads(path.read_text(encoding="utf-8"))
                event, envelope = protocol.decode(json.dumps(golden))
                line = protocol.encode(event, seq=envelope["seq"], time=envelope["time"], job=envelope["job"])
                self.assertEqual(json.loads(line), golden)

    def test_every_event_type_has_a_golden(self):
        names = {path.stem for path in (CONTRACT / "events").glob("*.json")}
        self.assertEqual(set(protocol.EVENT_TYPES) - names, set())

    def test_not_a_number_is_refused(self):
        with self.assertRaises(ValueError):
            protocol.encode(protocol.Metric("loss", float("nan"), 1, "train"), seq=0, time=0, job="t")

    def test_a_job_is_read(self):
        job = protocol.read_job(str(CONTRACT / "jobs" / "train.json"))
        self.assertEqual((job.kind, job.options["precision"]), ("train", "auto"))


class SignsOfLife(unittest.TestCase):
    def types(self, stream):
        return [json.loads(line)["type"] for line in stream.getvalue().splitlines()]

    def wait_for(self, condition):
        for _ in range(500):
            if condition():
                return
            time.sleep(0.01)
        self.fail("nothing came in 5 seconds")

    def test_they_come_while_a_step_says_nothing(self):
        stream = io.StringIO()
        reporter = Reporter(stream, "t")
        reporter.keep_alive(0.01)
        self.wait_for(lambda: self.types(stream).count("alive") >= 3)
        reporter.send(protocol.Done({}, {}, {}))

    def test_none_follows_the_event_that_ends_the_talk(self):
        for last in (protocol.Done({}, {}, {}), protocol.Error("WORKER_FAILED", "gone", "again", False, None)):
            stream = io.StringIO()
            reporter = Reporter(stream, "t")
            reporter.keep_alive(0.001)
            self.wait_for(lambda: self.types(stream))
            reporter.send(last)
            reporter.send(protocol.Alive())
            time.sleep(0.05)
            self.assertEqual(self.types(stream)[-1], type(last).__name__.lower())

    def test_they_end_with_their_reader(self):
        class Gone(io.StringIO):
            writes = 0

            def write(self, text):
                self.writes += 1
                raise BrokenPipeError()

        stream = Gone()
        Reporter(stream, "t").keep_alive(0.001)
        self.wait_for(lambda: stream.writes)
        time.sleep(0.05)
        self.assertEqual(stream.writes, 1)

    def test_ranks_other_than_0_send_none(self):
        class Counting(FollowerReporter):
            sent = 0

            def send(self, event):
                self.sent += 1

        reporter = Counting(1, "t")
        reporter.keep_alive(0.001)
        time.sleep(0.05)
        self.assertEqual(reporter.sent, 0)


if __name__ == "__main__":
    unittest.main()
