"""Saves and restores the state of a training run so that a killed run ends with the very same weights. Knows nothing of what is in the state."""
from __future__ import annotations

import os
import shutil
from typing import Any, Callable, Iterator

import torch
from safetensors import safe_open
from safetensors.torch import save_file


class Checkpoint:
    """`state.pt` and the best weights so far, in one folder. Files appear whole or not at all (temporary file, fsync, rename)."""

    def __init__(self, folder: str):
        self._folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, name: str) -> str:
        """Where something else that a resumed run needs again may lie; it goes with the folder. No name may start with `best-`."""
        return os.path.join(self._folder, name)

    def load(self) -> dict[str, Any] | None:
        path = os.path.join(self._folder, "state.pt")
        return torch.load(path, map_location="cpu", weights_only=True) if os.path.isfile(path) else None

    def save(self, state: dict[str, Any]) -> None:
        """`state["best_step"]` names the best weights it belongs to; older ones are removed after it is safe."""
        replace_file(os.path.join(self._folder, "state.pt"), lambda path: torch.save(state, path))
        for name in os.listdir(self._folder):
            if name.startswith("best-") and name != _best_name(state["best_step"]):
                os.remove(os.path.join(self._folder, name))

    def save_best(self, step: int, weights: dict[str, torch.Tensor]) -> None:
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        replace_file(os.path.join(self._folder, _best_name(step)), lambda path: save_file(tensors, path))

    def best_tensors(self, step: int) -> Iterator[tuple[str, torch.Tensor]]:
        """What `save_best` saved, one by one, so that no second copy of a model is in memory."""
        yield from tensors_of(os.path.join(self._folder, _best_name(step)))

    def finish(self, best_step: int | None) -> None:
        """Removes what only a run that goes on needs; of the weights those of `best_step` stay, or none."""
        for name in os.listdir(self._folder):
            kept = best_step is not None and name == _best_name(best_step)
            if name == "state.pt" or (name.startswith("best-") and not kept):
                os.remove(os.path.join(self._folder, name))

    def remove(self) -> None:
        shutil.rmtree(self._folder)


def _best_name(step: int) -> str:
    return f"best-{step}.safetensors"


def tensors_of(path: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and tensors of a safetensors file, one in memory at a time."""
    with safe_open(path, framework="pt") as file:
        for name in file.keys():
            yield name, file.get_tensor(name)


def replace_file(path: str, write: Callable[[str], object]) -> None:
    """Writes beside `path`, forces the bytes to disk, then renames: a kill at any moment leaves the old file or the new one."""
    temporary = path + ".tmp"
    write(temporary)
    with open(temporary, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    if os.name == "posix":
        folder = os.open(os.path.dirname(path), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def write_text(path: str, text: str) -> None:
    def write(temporary: str) -> None:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)

    replace_file(path, write)
