"""How much memory training will take, before it starts. The formula is that of AdamW on fp32 weights (training.md §4, Memory) and of what our passes keep."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from ..reporter import JobError

FULL = 0.95  # share of the free memory above which training is refused
FLOAT = 4  # bytes
ADAM = 2 * FLOAT  # bytes of the two moments of a trained parameter


@dataclass(frozen=True)
class Prediction:
    """Bytes. `copies`: weights in the computing type, and adapted ones; `activations`: of one micro-batch of `tokens`."""

    parameters: int
    gradients: int
    adam: int
    copies: int
    activations: int
    tokens: int

    @property
    def total(self) -> int:
        return self.parameters + self.gradients + self.adam + self.copies + self.activations

    def message(self) -> str:
        names = ("parameters", "gradients", "adam", "copies", "activations")
        parts = ", ".join(f"{name} {_amount(getattr(self, name))}" for name in names)
        return f"training will take about {_amount(self.total)} ({parts} of {self.tokens} tokens at once)"


@dataclass(frozen=True)
class Shape:
    """What the formula needs of a model and its way of computing. `layers`: those that keep activations; `adapted`: weights under LoRA."""

    parameters: int
    trained: int
    encoder_weights: int
    adapted: int
    hidden: int
    intermediate: int
    heads: int
    layers: int
    bf16: bool
    packed: bool
    fused_attention: bool
    dropout: bool
    recompute: bool


def predict(shape: Shape, *, tokens: int, longest: int) -> Prediction:
    """`tokens` of a micro-batch, `longest` pair in it.

    Parameters, gradients and the two moments of Adam take 4 bytes each, the latter three for trained parameters alone. A layer keeps for each token:
    in the computing type (e = 4 or 2 bytes) its input, query, key, value, context, the input of the feed-forward (6 * hidden), both sides of
    the activation (2 * intermediate) and a row of attention probabilities a head (heads * longest, unless attention is fused); in fp32 the
    inputs of two norms (2 * hidden). Dropout adds the masks of two outputs, and mask and result of the probabilities. The packed form's last
    layer keeps its input, key and value alone. One more layer stands for what is computed but not kept. Recomputing keeps a layer's fp32
    input, and one layer at a time as above. What the allocator loses between blocks is not in it: the resident size may be half as much again.
    """
    size = 2 if shape.bf16 else FLOAT
    rows = 0 if shape.fused_attention else shape.heads * longest * (size if shape.packed or not shape.bf16 else size + FLOAT)
    masks = 2 * (rows + FLOAT * shape.hidden) if shape.dropout else 0
    layer = size * (6 * shape.hidden + 2 * shape.intermediate) + rows + masks + 2 * FLOAT * shape.hidden
    last = size * 3 * shape.hidden if shape.packed else layer
    kept = FLOAT * shape.hidden * shape.layers + layer if shape.recompute else layer * max(0, shape.layers - 1) + (last if shape.layers else 0)
    return Prediction(
        parameters=FLOAT * shape.parameters,
        gradients=FLOAT * shape.trained,
        adam=ADAM * shape.trained,
        copies=_copies(shape),
        activations=tokens * (kept + layer),
        tokens=tokens,
    )


def _copies(shape: Shape) -> int:
    """Half-precision computing copies all weights of the layers; in fp32 the packed form joins query, key and value, and LoRA makes the adapted ones anew."""
    if shape.bf16:
        return 2 * shape.encoder_weights
    joined = 3 * shape.hidden * shape.hidden * shape.layers if shape.packed else 0
    return FLOAT * max(joined, shape.adapted)


def largest_micro_batch(tokens: int, options: dict[str, Any], longest: int) -> int:
    """The most that goes through the model at once under a budget of `tokens`: groups are kept whole, and no micro-batch is larger than a step."""
    group = options["group_size"] * longest
    return min(max(tokens, group), options["queries_per_step"] * group)


def free_memory(device: torch.device) -> int | None:
    """Bytes that a program can still take on it; None where the system does not tell."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return None


def fits(prediction: Prediction, free: int | None) -> bool:
    """False when it clearly cannot. `free`: with the parameters already loaded; None is not known."""
    return free is None or prediction.total <= FULL * (free + prediction.parameters)


def check_memory(prediction: Prediction, free: int | None, options: dict[str, Any]) -> str:
    """The line for the log. `free` as for `fits`. Raises JobError WORKER_OUT_OF_MEMORY when it clearly cannot fit."""
    if free is None:
        return prediction.message()
    room = _amount(free + prediction.parameters)
    if not fits(prediction, free):
        asked = options["micro_batch_tokens"]
        one_group = asked == "auto" or prediction.tokens > asked
        hint = ways_out(options, one_group=one_group, activations_first=prediction.activations > prediction.total / 2)
        raise JobError("WORKER_OUT_OF_MEMORY", f"{prediction.message()}, but only {room} can be had", hint)
    return f"{prediction.message()}; {room} can be had"


def ways_out(options: dict[str, Any], *, one_group: bool, activations_first: bool) -> str:
    """What takes less memory; what is on already is not named. `one_group`: a smaller budget of tokens would not help, a group being whole."""
    smaller = [
        "a smaller `train.group_size` or `train.max_length`" if one_group else f"`--set train.micro_batch_tokens={max(128, options['micro_batch_tokens'] // 2)}`",
        *([] if options["gradient_checkpointing"] else ["`--set train.gradient_checkpointing=true`"]),
    ]
    fewer = ["a higher `train.freeze_layers`", *([] if options["lora"] or options.get("student") else ["`--set train.lora.rank=16 --set train.learning_rate=1.5e-4`"])]
    return "use " + ", or ".join(smaller + fewer if activations_first else fewer + smaller)


def _amount(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
