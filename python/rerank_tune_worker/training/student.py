"""A student: the teacher without some of its encoder layers. Chooses the layers that stay, refuses those that make no valid model, and cuts."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Sequence

import torch

from ..base_model import BaseModel
from ..reporter import JobError
from .encoder_parts import encoder_layers, set_encoder_layers
from .losses import LOSSES

GLOBAL = "full_attention"


@dataclass(frozen=True)
class Cut:
    """`kept`: numbers of the teacher's layers that stay, from the lowest, of `teacher_layers`."""

    kept: tuple[int, ...]
    teacher_layers: int

    def message(self) -> str:
        return f"the student keeps layers {', '.join(map(str, self.kept))} of the teacher's {self.teacher_layers} (counted from 0)"


def check_student(options: dict[str, Any], base: BaseModel) -> None:
    """Raises JobError RECIPE_INVALID for a base that is no teacher, and for options that a student has no use for."""
    if not options.get("student"):
        return
    if not base.is_reranker:
        raise JobError("RECIPE_INVALID", f"train.student needs a base that already is a reranker, to be its teacher, but {base.folder} has no one-label head", "tune that base first, then name its packaged model folder as `base_model.path`")
    refused = {
        "train.lora": (bool(options["lora"]), "adapters leave the weights as they are, but a student has to learn without the layers it lost", "use `--set train.lora=null`"),
        "train.kl_to_base": (options["kl_to_base"] > 0, "train.student holds the model to the teacher already, which is the base", "use `--set train.kl_to_base=0` and `train.student.weight`"),
        f"train.loss {options['loss']}": (LOSSES[options["loss"]].needs_teacher, "it learns from teacher_score in the data, but a student has the base as its teacher", "use `--set train.loss=group_ce` for the labels and `train.student.loss` for the teacher"),
    }
    for name, (present, why, hint) in refused.items():
        if present:
            raise JobError("RECIPE_INVALID", f"{name} does not go with train.student: {why}", hint)


def choose_cut(student: dict[str, Any], model: Any, base: BaseModel) -> Cut:
    """student: `layers` (how many, evenly spread) or `keep` (which). Raises JobError RECIPE_INVALID."""
    kinds = layer_kinds(model)
    total = len(kinds)
    if student.get("keep") is None:
        layers = student["layers"]
        if not 0 < layers < total:
            raise _refused(f"train.student.layers {layers} is not fewer than the {total} layers", base, f"use `--set train.student.layers={max(1, total // 2)}`")
        return Cut(spread_layers(kinds, layers), total)
    kept = tuple(student["keep"])
    if list(kept) != sorted(set(kept)) or kept[-1] >= total or kept[0] < 0 or len(kept) == total:
        raise _refused(f"train.student.keep {list(kept)} is no rising list of some of the {total} layers", base, f"use numbers from 0 to {total - 1}, or `train.student.layers: {max(1, total // 2)}` alone")
    if base.model_type == "modernbert":
        _check_pattern(kept, kinds, base)
    return Cut(kept, total)


def layer_kinds(model: Any) -> list[str]:
    """The attention of each layer, from the lowest: all of one kind but in ModernBERT."""
    kinds = getattr(model.config, "layer_types", None)
    return list(kinds) if kinds else [GLOBAL] * len(encoder_layers(model))


def spread_layers(kinds: Sequence[str], count: int) -> tuple[int, ...]:
    """`count` layers as evenly as can be from the first to the last (DistilBERT's every other one, Sanh et al. 1910.01108; structured LayerDrop's
    "every other", Fan et al. 1909.11556), each of the kind that the teacher has at its new place: least squared distance, the lower layer of two equals.

    kinds: one a layer of the teacher. A single layer is the first.
    """
    places = [number * (len(kinds) - 1) / max(1, count - 1) for number in range(count)]

    @lru_cache(maxsize=None)
    def best(number: int, above: int) -> tuple[float, tuple[int, ...]]:
        if number == count:
            return 0.0, ()
        found = (float("inf"), ())
        first = [0] if number == 0 else range(above, len(kinds) - (count - number) + 1)
        for layer in first:
            if kinds[layer] == kinds[number]:
                cost, rest = best(number + 1, layer + 1)
                found = min(found, (cost + (layer - places[number]) ** 2, (layer, *rest)))
        return found

    return best(0, 0)[1]


def cut(model: Any, kept: Sequence[int]) -> None:
    """Drops the other layers from the module and says so in its configuration, wherever layers are counted there."""
    kinds, layers = layer_kinds(model), encoder_layers(model)
    for place, number in enumerate(kept):
        for module in layers[number].modules():
            if hasattr(module, "layer_idx"):
                module.layer_idx = place
    set_encoder_layers(model, torch.nn.ModuleList(layers[number] for number in kept))
    for config in {id(part.config): part.config for part in model.modules() if hasattr(part, "config")}.values():
        config.num_hidden_layers = len(kept)
        if getattr(config, "layer_types", None):
            config.layer_types = [kinds[number] for number in kept]
        if hasattr(config, "global_attn_every_n_layers"):  # the same pattern under the name of transformers 4, kept from an older file
            config.global_attn_every_n_layers = _period([kinds[number] for number in kept])


def _check_pattern(kept: Sequence[int], kinds: Sequence[str], base: BaseModel) -> None:
    """ModernBERT's lowest layer has no norm before its attention, so it stays lowest; consumers know "every n-th layer is global" alone."""
    if kept[0] != 0:
        raise _refused(f"train.student.keep {list(kept)} leaves out layer 0", base, "put 0 first: the lowest layer of ModernBERT is made unlike the others")
    if _period([kinds[number] for number in kept]) is None:
        globals_ = [number for number, kind in enumerate(kinds) if kind == GLOBAL]
        raise _refused(
            f"train.student.keep {list(kept)} has global attention where no pattern `every n-th layer` has it", base, f"keep the distance between global layers ({', '.join(map(str, globals_))}) even, or use `train.student.layers: {len(kept)}` alone"
        )


def _period(kinds: Sequence[str]) -> int | None:
    """n where every n-th layer, from the lowest on, is global and no other one is; None where there is no such n."""
    fitting = (n for n in range(1, len(kinds) + 1) if all((kind == GLOBAL) == (place % n == 0) for place, kind in enumerate(kinds)))
    return next(fitting, None)


def _refused(what: str, base: BaseModel, hint: str) -> JobError:
    return JobError("RECIPE_INVALID", f"{what} of {base.model_type} at {base.folder}", hint)
