"""Small groups of words for tests of training: the relevant passage shares the query's word. Deterministic."""
from __future__ import annotations

import json
import random

WORDS = "court appeal deadline patient water router button light fever heart form permit prices order sum".split()

OPTIONS = {
    "loss": "group_ce",
    "learning_rate": 2e-3,
    "epochs": 2,
    "queries_per_step": 4,
    "group_size": 4,
    "max_length": 32,
    "bce_weight": 0.2,
    "teacher_temperature": 1.0,
    "kl_to_base": 0.0,
    "warmup_ratio": 0.1,
    "weight_decay": 0.01,
    "clip_norm": 1.0,
    "dropout": False,
    "freeze_embeddings": True,
    "freeze_layers": 0,
    "precision": "fp32",
    "micro_batch_tokens": 200,
    "evaluations": 4,
    "evaluation_queries": 8,
    "evaluation_depth": 5,
    "patience": 9,
    "checkpoint_seconds": 0,
    "seed": 7,
    "device": "cpu",
    "lora": None,
    "gradient_checkpointing": False,
    "interpolate": {"enabled": False, "alphas": [1.0, 0.7, 0.5, 0.3], "guard_max_drop": 0.01},
    "calibrate": False,
}


def make_group(number: int, seed: str, passages: int = 6) -> dict:
    rng = random.Random(f"{seed} {number}")
    word = WORDS[number % len(WORDS)]
    others = [w for w in WORDS if w != word]
    rows = [{"id": f"p{i}", "text": " ".join(rng.sample(others, rng.randint(1, 6))), "label": 0, "source": "bm25"} for i in range(passages)]
    place = rng.randrange(passages)
    rows[place].update(text=f"{word} {rows[place]['text']}", label=1, source="judged")
    return {"query_id": f"{seed}{number}", "query": f"{word} {rng.choice(others)}", "passages": rows}


def write_split(path: str, seed: str, count: int) -> str:
    with open(path, "w", encoding="utf-8") as file:
        for number in range(count):
            file.write(json.dumps(make_group(number, seed)) + "\n")
    return path
