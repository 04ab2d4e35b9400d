"""The input of a group as unsigned 8-bit integers with their scale and zero point, made once for all MatMuls of the group."""
from __future__ import annotations

import numpy as np

from .groups import Group
from .node_writer import NodeWriter
from .search import Choice


def static_input(writer: NodeWriter, group: Group, choice: Choice) -> tuple[str, str, str]:
    """Names of the integers, of their one scale and of the zero point."""
    names = f"{group.x}.uint8", f"{group.x}.scale", _zero_point(writer, choice)
    if names[1] not in writer.tensors:
        writer.constant(names[1], np.float32(choice.scale))
        writer.emit("QuantizeLinear", [_smoothed(writer, group, choice), names[1], names[2]], names[0])
    return names


def token_input(writer: NodeWriter, group: Group, choice: Choice) -> tuple[str, str, str]:
    """The same with a scale per token: the integers are [tokens, width], the scales a column; `<x>.leading` holds the axes that were joined."""
    x = group.x
    names, floor = (f"{x}.uint8", f"{x}.column", _zero_point(writer, choice)), f"{x}.floor"
    if floor in writer.tensors:
        return names
    flat = writer.emit("Reshape", [_smoothed(writer, group, choice), writer.constant(f"flat_{group.width}", np.array([-1, group.width]))], f"{x}.flat")
    sized = writer.emit("Abs", [flat], f"{x}.size") if choice.zero_point == 128 else flat
    levels = 255 - choice.zero_point
    steps = writer.emit("Mul", [writer.reduce_max(sized, f"{x}.top"), writer.constant(f"per_{levels}", np.float32(1 / levels))], f"{x}.steps")
    scale = writer.emit("Max", [steps, writer.constant(floor, np.float32(choice.scale))], f"{x}.scale")
    zeros = writer.emit("Expand", [names[2], writer.emit("Shape", [scale], f"{x}.tokens")], f"{x}.zeros")
    writer.emit("QuantizeLinear", [flat, scale, zeros], names[0], axis=0)
    writer.emit("Unsqueeze", [scale, writer.constant("last_axis", np.array([-1]))], names[1])
    writer.emit("Shape", [x], f"{x}.leading", start=0, end=-1)
    return names


def _zero_point(writer: NodeWriter, choice: Choice) -> str:
    return writer.constant(f"zero_point_{choice.zero_point}", np.uint8(choice.zero_point))


def _smoothed(writer: NodeWriter, group: Group, choice: Choice) -> str:
    if choice.alpha == 0 or group.free_smoothing:
        return group.x
    return writer.emit("Mul", [group.x, writer.constant(f"{group.x}.inverse", (1 / choice.smooth).astype(np.float32))], f"{group.x}.smooth")
