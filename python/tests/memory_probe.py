"""Measures the memory of two training steps in a process of its own, beside what was predicted. Linux only.

run: python -m tests.memory_probe MODEL_FOLDER '{"micro_batch_tokens": 8192, ...}'
prints {"predicted": bytes beyond the parameters, "measured": growth of the resident size}
"""
import json
import sys

import torch

from rerank_tune_worker.base_model import inspect_base, load_base
from rerank_tune_worker.pairs import EncodedPair
from rerank_tune_worker.training.memory import predict
from rerank_tune_worker.training.model import PairModel
from rerank_tune_worker.training.optimizer import build_optimizer


def resident(field):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(field))


def step(model, optimizer, pairs):
    model.start_step()
    model.training_logits(pairs).sum().backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def main(folder, options):
    torch.set_num_threads(1)
    base = inspect_base(folder)
    tokens, length = options.pop("tokens"), options.pop("length")
    model = PairModel(load_base(base, seed=1, attention="eager"), base.model_type, device="cpu", freeze_embeddings=True, **options)
    optimizer = build_optimizer(model.parameters, 0.01)
    pairs = [EncodedPair([5 + (number * 7 + place) % 400 for place in range(length)], [0] * length) for number in range(tokens // length)]
    model.training_logits(pairs[:1]) if model.padded else model.check_parity(pairs[:1])  # what libraries load on first use is not ours to predict
    before = resident("VmRSS")
    for _ in range(2):
        step(model, optimizer, pairs)
    predicted = predict(model.shape(), tokens=tokens, longest=length)
    print(json.dumps({"predicted": predicted.total - predicted.parameters, "measured": resident("VmHWM") - before}))


if __name__ == "__main__":
    main(sys.argv[1], json.loads(sys.argv[2]))
