"""What processes that train together send one another: numbers, weights outwards, gradients inwards. The only file that calls torch.distributed."""
from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any, Iterator, Sequence

import torch

from ..launch import Launch
from ..reporter import JobError, RankLost

BUCKET = 16_777_216  # numbers that travel together: 64 MB in fp32
# The slowest step, checkpoint or start that others wait for. A lost process is noticed at once, by its closed connection, and needs no such limit.
LONGEST = timedelta(minutes=30)


class Group:
    """All processes of one training. Numbers go over gloo; tensors too on CPU, and over NCCL on CUDA, one GPU a process.

    Every call is collective: all ranks make the same calls in the same order. A lost peer, or none within `LONGEST`, raises RankLost.
    """

    def __init__(self, launch: Launch, device: str):
        """Joins torchrun's rendezvous. Raises JobError ENVIRONMENT_BROKEN when there are more processes than GPUs."""
        import torch.distributed as distributed

        self.launch, self._distributed, self._wide, self.where = launch, distributed, None, "before the first step"
        if device == "cuda":
            _take_device(launch)
        with self._noticing():
            distributed.init_process_group("gloo", timeout=LONGEST)
            if device == "cuda":
                self._wide = distributed.new_group(backend="nccl", timeout=LONGEST)

    def tell(self, numbers: Sequence[int]) -> tuple[int, ...]:
        """Rank 0's numbers, on every rank; the others give as many of their own, which are not read."""
        told = torch.tensor(numbers, dtype=torch.int64)
        with self._noticing():
            self._distributed.broadcast(told, 0)
        return tuple(told.tolist())

    def tell_all(self, numbers: torch.Tensor) -> torch.Tensor:
        """[n] on CPU: rank 0's, on every rank."""
        with self._noticing():
            self._distributed.broadcast(numbers, 0)
        return numbers

    def sum(self, numbers: Sequence[float]) -> list[float]:
        """On rank 0 the sums over all ranks, in fp64; elsewhere of no meaning."""
        total = torch.tensor(numbers, dtype=torch.float64)
        with self._noticing():
            self._distributed.reduce(total, 0)
        return total.tolist()

    def compare(self, facts: dict[str, str]) -> list[dict[str, str]]:
        """The facts of every rank, by rank."""
        known: list[Any] = [None] * self.launch.world
        with self._noticing():
            self._distributed.all_gather_object(known, facts)
        return known

    def spread_tensors(self, tensors: list[torch.Tensor]) -> None:
        """Overwrites them with rank 0's."""
        for bucket, flat in _flattened(tensors):
            with self._noticing():
                self._distributed.broadcast(flat, 0, group=self._wide)
            if self.launch.rank > 0:
                _put_back(flat, bucket)

    def sum_tensors(self, tensors: list[torch.Tensor]) -> None:
        """Overwrites rank 0's with the sums over all ranks; the others keep theirs."""
        for bucket, flat in _flattened(tensors):
            with self._noticing():
                self._distributed.reduce(flat, 0, group=self._wide)
            if self.launch.rank == 0:
                _put_back(flat, bucket)

    def leave(self) -> None:
        self._distributed.destroy_process_group()

    @contextlib.contextmanager
    def _noticing(self) -> Iterator[None]:
        """torch tells of a closed connection, and of one that stays silent, by RuntimeError; it does not tell whose."""
        try:
            yield
        except RuntimeError as error:
            raise RankLost(self._others(), self.where) from error

    def _others(self) -> str:
        if self.launch.rank > 0:
            return "rank 0"
        last = self.launch.world - 1
        return "rank 1" if last == 1 else f"one of the ranks 1 to {last}"


def _take_device(launch: Launch) -> None:
    found = torch.cuda.device_count()
    if found < launch.local_world:
        raise JobError("ENVIRONMENT_BROKEN", f"{launch.local_world} processes on this machine need as many GPUs, but torch finds {found}", f"use `--processes {max(1, found)}`, or `--set train.device=cpu`")
    torch.cuda.set_device(launch.local_rank)


def _flattened(tensors: list[torch.Tensor]) -> Iterator[tuple[list[torch.Tensor], torch.Tensor]]:
    """Tensors of one type, a bucket at a time, and their numbers in one row."""
    bucket: list[torch.Tensor] = []
    count = 0
    for tensor in tensors:
        if bucket and count + tensor.numel() > BUCKET:
            yield bucket, torch.cat([part.detach().reshape(-1) for part in bucket])
            bucket, count = [], 0
        bucket.append(tensor)
        count += tensor.numel()
    if bucket:
        yield bucket, torch.cat([part.detach().reshape(-1) for part in bucket])


def _put_back(flat: torch.Tensor, bucket: list[torch.Tensor]) -> None:
    with torch.no_grad():
        for tensor, part in zip(bucket, flat.split([tensor.numel() for tensor in bucket])):
            tensor.copy_(part.view_as(tensor))
