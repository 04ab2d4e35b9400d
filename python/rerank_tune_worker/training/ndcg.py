"""NDCG@k as trec_eval computes it, for choosing the checkpoint. Reports use the TypeScript one, tested on the same vectors."""
from __future__ import annotations

import math
from array import array


def ndcg_at_k(ids: list[str], scores: list[float], labels: list[float], missed: tuple[float, ...], k: int = 10) -> float:
    """0-1. Ties by id, descending by bytes; linear gain; discount log2(rank + 1); the ideal includes `missed`. 0 without a relevant passage.

    A score that is not finite ranks last.
    """
    rounded = array("f", (score if math.isfinite(score) else -math.inf for score in scores))  # trec_eval compares float32
    order = sorted(range(len(ids)), key=lambda i: (rounded[i], ids[i].encode()), reverse=True)
    gain = sum(max(0.0, labels[i]) / math.log2(rank + 2) for rank, i in enumerate(order[:k]))
    ideal = sorted((label for label in (*labels, *missed) if label > 0), reverse=True)[:k]
    best = sum(label / math.log2(rank + 2) for rank, label in enumerate(ideal))
    return gain / best if best > 0 else 0.0
