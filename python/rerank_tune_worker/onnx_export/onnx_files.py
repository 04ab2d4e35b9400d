"""Reads and writes ONNX files one tensor at a time, so that a 2.3 GB model never sits in memory twice. Knows nothing of models.

`onnx.save` holds the message and its serialized bytes at once; here the protobuf framing is written by hand around each tensor.
The bytes are the same on every run: fields in a fixed order, initializers in the order given.
"""
from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from ..reporter import JobError

# protobuf refuses messages from 2 GiB on; a mebibyte is left for nodes and framing.
SINGLE_FILE_LIMIT = 2**31 - 2**20
# Shape inference reads small constants, so they stay inside the graph.
EXTERNAL_FROM = 1024
ALIGNMENT = 4096
EXTERNAL_SUFFIX = "_data"

# Field numbers of onnx.proto.
MODEL_GRAPH, GRAPH_INITIALIZER, TENSOR_RAW_DATA = 7, 5, 9


@dataclass(frozen=True)
class Tensor:
    """An initializer whose values are made when they are asked for. `load` returns an array of `dims` and of `dtype`'s numpy type."""

    name: str
    dtype: int
    dims: tuple[int, ...]
    load: Callable[[], np.ndarray]

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.dims, dtype=np.int64)) * helper.tensor_dtype_to_np_dtype(self.dtype).itemsize

    @staticmethod
    def of(name: str, value: np.ndarray) -> Tensor:
        return Tensor(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape, lambda: value)


def write_model(path: str, model: onnx.ModelProto, tensors: list[Tensor], on_tensor: Callable[[int, int], None] = lambda *_: None) -> None:
    """Writes `model` (without initializers) with `tensors`; from 2 GB on the large ones go to `<path>_data`.

    `on_tensor(done, total)` is called after each tensor, in bytes.
    """
    total = sum(tensor.nbytes for tensor in tensors)
    external = total >= SINGLE_FILE_LIMIT
    headers, spans = _headers(os.path.basename(path) + EXTERNAL_SUFFIX, tensors, external)
    graph = model.graph.SerializeToString(deterministic=True)
    shell = onnx.ModelProto()
    shell.CopyFrom(model)
    shell.ClearField("graph")
    length = len(graph) + sum(_framed(GRAPH_INITIALIZER, _tensor_length(h, t, s)) for h, t, s in zip(headers, tensors, spans))
    done = 0
    data = open(path + EXTERNAL_SUFFIX, "wb") if external else None
    try:
        with open(path, "wb") as file:
            file.write(shell.SerializeToString(deterministic=True) + _tag(MODEL_GRAPH, length) + graph)
            for header, tensor, span in zip(headers, tensors, spans):
                file.write(_tag(GRAPH_INITIALIZER, _tensor_length(header, tensor, span)) + header)
                if span is None:
                    file.write(_tag(TENSOR_RAW_DATA, tensor.nbytes))
                _write_values(file if span is None else data, tensor, span)
                done += tensor.nbytes
                on_tensor(done, total)
    finally:
        if data is not None:
            data.close()


def _headers(location: str, tensors: list[Tensor], external: bool) -> tuple[list[bytes], list[int | None]]:
    headers, spans, offset = [], [], 0
    for tensor in tensors:
        proto = TensorProto(name=tensor.name, data_type=tensor.dtype, dims=tensor.dims)
        span = None
        if external and tensor.nbytes >= EXTERNAL_FROM:
            span = -(-offset // ALIGNMENT) * ALIGNMENT
            offset = span + tensor.nbytes
            proto.data_location = TensorProto.EXTERNAL
            for key, value in (("location", location), ("offset", span), ("length", tensor.nbytes)):
                proto.external_data.add(key=key, value=str(value))
        headers.append(proto.SerializeToString(deterministic=True))
        spans.append(span)
    return headers, spans


def _write_values(file, tensor: Tensor, offset: int | None) -> None:
    values = tensor.load()
    if values.shape != tensor.dims or helper.np_dtype_to_tensor_dtype(values.dtype) != tensor.dtype:
        raise ValueError(f"{tensor.name}: {values.dtype}{values.shape} is not what was announced, {tensor.dims}")
    if offset is not None:
        file.seek(offset)
    file.write(memoryview(np.ascontiguousarray(values).reshape(-1).view(np.uint8)))


def _tensor_length(header: bytes, tensor: Tensor, span: int | None) -> int:
    return len(header) + (_framed(TENSOR_RAW_DATA, tensor.nbytes) if span is None else 0)


def _framed(field: int, length: int) -> int:
    return len(_tag(field, length)) + length


def _tag(field: int, length: int) -> bytes:
    return _varint(field << 3 | 2) + _varint(length)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def read_model(path: str) -> tuple[onnx.ModelProto, list[Tensor]]:
    """The model without its initializers, and those as tensors that read their values from the file when asked."""
    with open(path, "rb") as file:
        view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    shell, graph, tensors = bytearray(), bytearray(), []
    for field, whole, body in _fields(view):
        if field != MODEL_GRAPH:
            shell += whole
            continue
        for inner, inner_whole, inner_body in _fields(body):
            if inner == GRAPH_INITIALIZER:
                tensors.append(_read_tensor(inner_body, os.path.dirname(path)))
            else:
                graph += inner_whole
    model = onnx.ModelProto.FromString(bytes(shell))
    model.graph.ParseFromString(bytes(graph))
    return model, tensors


def _read_tensor(body: memoryview, folder: str) -> Tensor:
    header, raw = bytearray(), None
    for field, whole, value in _fields(body):
        if field == TENSOR_RAW_DATA:
            raw = value
        else:
            header += whole
    proto = TensorProto.FromString(bytes(header))
    numpy_type, dims = helper.tensor_dtype_to_np_dtype(proto.data_type), tuple(proto.dims)
    if proto.data_location == TensorProto.EXTERNAL:
        entries = {entry.key: entry.value for entry in proto.external_data}
        path, offset = _external_path(folder, entries["location"]), int(entries.get("offset", 0))
        load = lambda: np.memmap(path, numpy_type, "r", offset, dims)  # noqa: E731
    elif raw is not None:
        load = lambda: np.frombuffer(raw, numpy_type).reshape(dims)  # noqa: E731
    else:
        load = lambda: onnx.numpy_helper.to_array(proto)  # noqa: E731
    return Tensor(proto.name, proto.data_type, dims, load)


def _external_path(folder: str, location: str) -> str:
    """Where a tensor's values are. Raises JobError MODEL_UNSUPPORTED for a place outside `folder`, which could be any file of the machine."""
    if os.path.isabs(location) or ".." in location.replace("\\", "/").split("/"):
        raise JobError("MODEL_UNSUPPORTED", f"{folder} has a graph that keeps weights in {location!r}, outside its folder", "save it again with its weights beside it")
    return os.path.join(folder, location)


def _fields(view: memoryview) -> Iterator[tuple[int, memoryview, memoryview]]:
    """Field number, the field with its tag, and its value, of each field of a message."""
    at = 0
    while at < len(view):
        start = at
        key, at = _read_varint(view, at)
        kind = key & 7
        value_at = at
        if kind == 0:
            _, at = _read_varint(view, at)
        elif kind == 2:
            length, value_at = _read_varint(view, at)
            at = value_at + length
        else:
            at += {1: 8, 5: 4}[kind]
        yield key >> 3, view[start:at], view[value_at:at]


def _read_varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
