"""Which rung is taken: hand-made groups and errors; and one group's part in the error, measured alone on a tiny model."""
import os
import tempfile
import unittest

import numpy as np
from onnx import TensorProto

from rerank_tune_worker.onnx_export.graph import export_graph
from rerank_tune_worker.onnx_export.onnx_files import Tensor, read_model
from rerank_tune_worker.pairs import PairEncoder
from rerank_tune_worker.quantization.activations import collect
from rerank_tune_worker.quantization.groups import Group, Member, find_groups
from rerank_tune_worker.quantization.ladder import Limits, choose_forms, cost, form_of, rungs
from rerank_tune_worker.quantization.search import Choice, best_choices
from rerank_tune_worker.quantization.sensitivity import sensitivities
from tests import tiny_models
from tests.perturb import perturb

WIDTH, OUTPUTS = 1024, 1024


def group(name, outputs=OUTPUTS):
    weight = Tensor(f"{name}.weight", TensorProto.FLOAT, (WIDTH, outputs), lambda: np.zeros((WIDTH, outputs), np.float32))
    return Group(name, WIDTH, [Member(f"{name}.matmul", weight, None, f"{name}.out")])


def choice(form, error, alpha=0.0):
    return Choice(form, alpha, error, np.ones(WIDTH, np.float32), 1.0, 128)


def options(static=0.08, smoothed=0.04, token=0.02):
    return {"static": choice("static", static), "smoothed": choice("static", smoothed, 0.8), "token": choice("token", token), "block": choice("block", 0.004), "float32": choice("float32", 0.0)}


def cost_of(groups, choices):
    return sum(cost(g, choices[g.x]) for g in groups)


class Ladder(unittest.TestCase):
    def setUp(self):
        self.groups = [group(str(index)) for index in range(10)]
        self.options = {g.x: options() for g in self.groups}
        self.tried = []

    def choose(self, error_of, alone=None, max_error=0.15):
        def measure(choices):
            self.tried.append({x: form_of(g, choices[x]) for g in self.groups for x in [g.x]})
            return error_of(self.tried[-1])

        return choose_forms(self.groups, self.options, measure, lambda probes: alone or dict.fromkeys(probes, 0.02), Limits(0.05, max_error))

    def test_the_first_rung_stays_where_it_is_good_enough(self):
        chosen, error = self.choose(lambda _: 0.05)
        self.assertEqual(({c.form for c in chosen.values()}, {c.alpha for c in chosen.values()}, error, len(self.tried)), ({"static"}, {0.0}, 0.05, 1))

    def test_the_group_that_does_the_harm_changes_first_and_alone(self):
        alone = dict.fromkeys(self.options, 0.0001) | {"7": 0.04}
        chosen, error = self.choose(lambda forms: {"static": 0.2, "smoothed": 0.06}.get(forms["7"], 0.02), alone)
        self.assertEqual([x for x, c in chosen.items() if c.form == "token"], ["7"])
        self.assertEqual(error, 0.02)

    def test_a_rung_is_measured_again_until_it_is_good_enough(self):
        # errors are worse than expected: the climb goes on with what it learnt
        chosen, error = self.choose(lambda forms: 0.2 - 0.016 * sum(form != "static" for form in forms.values()))
        self.assertLessEqual(error, 0.05)
        self.assertEqual(self.tried[-1], {g.x: form_of(g, chosen[g.x]) for g in self.groups})

    def test_a_cheaper_rung_is_looked_for_behind_one_that_is_far_better_than_asked(self):
        # expectations are twice too large: the first rung that should do is dearer than it need be
        self.groups = [group(str(index)) for index in range(20)]
        self.options = {g.x: options() for g in self.groups}
        error_of = lambda forms: 0.25 * sum({"static": 0.0064, "smoothed": 0.0016, "token": 0.0004, "float32": 0.0}[form] for form in forms.values()) ** 0.5  # noqa: E731
        chosen, error = self.choose(lambda forms: 0.15 if set(forms.values()) == {"static"} else error_of(forms), dict.fromkeys(self.options, 0.02))
        self.assertLessEqual(error, 0.05)
        self.assertGreater(error, 0.04)
        self.assertLess(cost_of(self.groups, chosen), max(cost_of(self.groups, {g.x: self.options[g.x][forms[g.x]] for g in self.groups}) for forms in self.tried))

    def test_the_best_of_all_measured_wins_when_none_is_enough(self):
        errors = iter([0.18, 0.10, *[0.14] * 10])
        _, error = self.choose(lambda _: next(errors))
        self.assertEqual(error, 0.10)

    def test_where_none_is_enough_the_last_tenths_of_the_error_cost_no_time(self):
        # Half of the groups in a dearer form bring all there is; a floor that nothing removes stays above the target.
        harmful = {str(index) for index in range(5)}
        alone = {x: 0.03 if x in harmful else 0.008 for x in self.options}
        chosen, error = self.choose(lambda forms: 0.07 + 0.01 * sum(forms[x] == "static" for x in harmful) + 0.0005 * sum(form == "static" for form in forms.values()), alone)
        self.assertLessEqual(error, 1.25 * 0.07)
        dearest = {x: found["token"] for x, found in self.options.items()}
        self.assertLess(cost_of(self.groups, chosen), 0.7 * cost_of(self.groups, dearest))

    def test_weights_by_blocks_are_tried_only_above_the_limit(self):
        chosen, error = self.choose(lambda forms: 0.01 if set(forms.values()) == {"block"} else 0.3)
        self.assertEqual(({c.form for c in chosen.values()}, error), ({"block"}, 0.01))
        self.tried.clear()
        chosen, _ = self.choose(lambda forms: 0.01 if set(forms.values()) == {"block"} else 0.3, max_error=0.5)
        self.assertNotIn("block", {c.form for c in chosen.values()})

    def test_float32_stays_only_where_it_brings_the_error_to_the_target(self):
        self.groups = [group(str(index)) for index in range(20)]
        self.options = {g.x: options() for g in self.groups}
        alone = dict.fromkeys(self.options, 1e-6) | {"3": 0.2}
        chosen, error = self.choose(lambda forms: 0.04 if forms["3"] == "float32" else 0.12, alone)
        self.assertEqual((chosen["3"].form, error), ("float32", 0.04))
        chosen, error = self.choose(lambda forms: 0.06 if forms["3"] == "float32" else 0.12, alone)
        self.assertEqual((chosen["3"].form != "float32", error), (True, 0.12))

    def test_where_no_blocks_can_be_made_the_best_stands(self):
        for found in self.options.values():
            del found["block"]
        _, error = self.choose(lambda _: 0.3)
        self.assertEqual(error, 0.3)


class Rungs(unittest.TestCase):
    def test_each_costs_more_and_errs_less_than_the_one_before(self):
        groups = [group("a"), group("b")]
        found = rungs(groups, {"a": options(), "b": options(0.4, 0.06, 0.03)}, {"a": 0.01, "b": 0.03}, {"a": choice("static", 0.04), "b": choice("static", 0.06)}, True)
        self.assertEqual([rung.forms for rung in found[:2]], [{"a": "static", "b": "static"}, {"a": "static", "b": "smoothed"}])  # the one pass that takes most away
        for before, after in zip(found, found[1:]):
            self.assertGreater(after.cost, before.cost)
            self.assertLess(after.expected, before.expected)

    def test_errors_of_groups_add_up_as_squares(self):
        groups = [group("a"), group("b")]
        found = rungs(groups, {name: options(0.04, 0.03, 0.02) for name in "ab"}, {"a": 0.03, "b": 0.04}, {name: choice("static", 0.03) for name in "ab"}, True)
        both = next(rung for rung in found if set(rung.forms.values()) == {"smoothed"})
        self.assertAlmostEqual(both.expected, 0.05)

    def test_little_may_stay_float32(self):
        groups = [group(str(index)) for index in range(20)]
        found = rungs(groups, {g.x: options() for g in groups}, {g.x: 1.0 for g in groups}, {g.x: choice("static", 0.04) for g in groups}, True)
        self.assertEqual(list(found[-1].forms.values()).count("float32"), 1)  # a twentieth of 20 equal matrices

    def test_none_may_where_it_is_not_asked_for(self):
        groups = [group(str(index)) for index in range(20)]
        found = rungs(groups, {g.x: options() for g in groups}, {g.x: 1.0 for g in groups}, {g.x: choice("static", 0.04) for g in groups}, False)
        self.assertEqual(set(found[-1].forms.values()), {"token"})

    def test_what_is_free_costs_nothing(self):
        free = Group("x", WIDTH, group("x").members, source="layer.0.value")
        self.assertEqual([cost(g, choice("static", 0.1, 0.8)) for g in (free, group("x"))], [0, WIDTH])
        self.assertEqual([form_of(g, choice("static", 0.1, 0.8)) for g in (free, group("x"))], ["static", "smoothed"])


class Sensitivity(unittest.TestCase):
    def test_a_group_alone_is_what_rounding_its_input_does(self):
        with tempfile.TemporaryDirectory() as folder:
            tiny_models.build("xlm-roberta", os.path.join(folder, "model"))
            perturb(os.path.join(folder, "model"))
            path = os.path.join(folder, "model.onnx")
            export_graph(os.path.join(folder, "model"), path, 17)
            model, tensors = read_model(path)
            groups = find_groups(model.graph, tensors)
            pairs = PairEncoder(os.path.join(folder, "model"), 48).encode([("who pays", "the tenant pays"), ("a claim", "is late"), ("tax", "on income"), ("when", "in two weeks after it")])
            statistics, exact, _ = collect(model, tensors, groups, pairs, folder, lambda _: None)
            fine = {g.x: best_choices(g, statistics[g.x], 127)["static"] for g in groups}
            coarse = {x: Choice("static", c.alpha, c.error, c.smooth, c.scale * 16, round(c.zero_point / 16)) for x, c in fine.items()}
            none = {x: Choice("static", c.alpha, c.error, c.smooth, c.scale * 1e-4, 128) for x, c in fine.items()}
            seen = []
            of = lambda probes: sensitivities(model, tensors, groups, probes, pairs, exact, folder, seen.append)  # noqa: E731
            fine_error, coarse_error, clipped = of(fine), of(coarse), of(none)
        self.assertEqual(seen[: len(groups)], list(range(1, len(groups) + 1)))
        self.assertEqual(set(fine_error), {g.x for g in groups})
        self.assertGreater(min(fine_error.values()), 1e-7)
        self.assertLess(np.median([fine_error[x] / coarse_error[x] for x in fine_error]), 0.3)  # 16 times the step
        self.assertGreater(min(clipped.values()), 10 * max(fine_error.values()))  # clipped to nothing


if __name__ == "__main__":
    unittest.main()
