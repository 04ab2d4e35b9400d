"""One training run of sentence-transformers' CrossEncoderTrainer on CPU, with the loss its own examples take for hard negatives."""
from __future__ import annotations

import tempfile
import time


def train(base: str, rows: list[tuple[str, str, float]], *, positive_weight: float | None, max_length: int, epochs: float, batch_size: int, learning_rate: float, warmup: float, bf16: bool, seed: int):
    """Binary cross-entropy over (query, passage, label). Returns the CrossEncoder and the seconds of `trainer.train()`."""
    import torch
    from datasets import Dataset
    from sentence_transformers.cross_encoder import CrossEncoder, CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

    torch.manual_seed(seed)
    model = CrossEncoder(base, num_labels=1, max_length=max_length, device="cpu")
    data = Dataset.from_dict({name: [row[i] for row in rows] for i, name in enumerate(("query", "passage", "label"))})
    with tempfile.TemporaryDirectory() as out:
        settings = CrossEncoderTrainingArguments(
            output_dir=out, num_train_epochs=epochs, per_device_train_batch_size=batch_size, learning_rate=learning_rate, warmup_steps=warmup,
            bf16=bf16, use_cpu=True, save_strategy="no", logging_strategy="no", report_to="none", disable_tqdm=True, seed=seed,
        )
        loss = BinaryCrossEntropyLoss(model, pos_weight=None if positive_weight is None else torch.tensor(positive_weight))
        trainer = CrossEncoderTrainer(model=model, args=settings, train_dataset=data, loss=loss)
        started = time.perf_counter()
        trainer.train()
        return model, time.perf_counter() - started


def predict(model, pairs: list[tuple[str, str]]) -> list[float]:
    """Logits, one a pair."""
    import torch

    return [float(score) for score in model.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False)]
