"""NDCG@10 of the trainer against trec_eval's recorded values and against the vectors that the TypeScript one is tested on."""
import json
import math
import os
import unittest

from rerank_tune_worker.pairs import EncodedPair
from rerank_tune_worker.training.data import Group, Passage
from rerank_tune_worker.training.evaluate import DevSet
from rerank_tune_worker.training.ndcg import ndcg_at_k

SHARED = os.path.join(os.path.dirname(__file__), "..", "..", "test")


def labels_of(missed):
    return tuple(item["label"] if isinstance(item, dict) else item for item in missed)


class Ndcg(unittest.TestCase):
    def test_equals_recorded_values_of_trec_eval(self):
        with open(os.path.join(SHARED, "fixtures", "trec-eval.json"), encoding="utf-8") as file:
            queries = json.load(file)["queries"]
        self.assertGreater(len(queries), 5)
        for query in queries:
            value = ndcg_at_k(query["ids"], query["scores"], query["labels"], labels_of(query["missed"]))
            self.assertAlmostEqual(value, query["expected"]["ndcg_cut_10"], places=9, msg=query["name"])

    def test_equals_the_contract_with_typescript(self):
        with open(os.path.join(SHARED, "contract", "ndcg.json"), encoding="utf-8") as file:
            cases = json.load(file)["cases"]
        self.assertGreater(len(cases), 10)
        for case in cases:
            value = ndcg_at_k(case["ids"], case["scores"], case["labels"], labels_of(case["missed"]))
            self.assertAlmostEqual(value, case["ndcg@10"], places=9, msg=case["name"])

    def test_ties_go_to_the_greater_id(self):
        self.assertEqual(ndcg_at_k(["a", "b"], [1.0, 1.0], [0, 1], ()), 1.0)

    def test_relevant_passages_below_the_depth_stay_in_the_ideal(self):
        class Encoder:
            def encode(self, pairs):
                return [EncodedPair([1], [0]) for _ in pairs]

        class Model:
            def score(self, pairs, **_):
                return [1.0 - i for i in range(len(pairs))]

        group = Group("q", "q", tuple(Passage(f"p{i}", "text", label, "bm25") for i, label in enumerate((1.0, 0.0, 1.0))), ())
        ideal = 1 + 1 / math.log2(3)
        self.assertAlmostEqual(DevSet([group], Encoder(), queries=1, depth=2).ndcg(Model(), 10, None), 1 / ideal, places=9)


if __name__ == "__main__":
    unittest.main()
