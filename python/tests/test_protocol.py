"""The goldens of test/contract are read and given back unchanged; needs no torch."""
import json
import pathlib
import unittest

from rerank_tune_worker import protocol

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


if __name__ == "__main__":
    unittest.main()
