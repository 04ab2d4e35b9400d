"""The table of side_by_side.py: a row a set and system, over seeds, with paired bootstrap intervals against the best other system."""
from __future__ import annotations

import numpy as np

RESAMPLES = 10_000


def print_report(rows: list[dict]) -> None:
    for name in dict.fromkeys(row["set"] for row in rows):
        of_set = [row for row in rows if row["set"] == name]
        counts = of_set[0]["groups"]
        print(f"\n{name}: {counts['train.all']} training queries, {counts['eval']} evaluation queries")
        means = {}
        for system in dict.fromkeys(row["system"] for row in of_set):
            runs = [row for row in of_set if row["system"] == system]
            values = _values(runs)
            means[system] = values
            print(line(system, runs, values))
        others = [system for system in means if system != "rerank_tune"]
        if "rerank_tune" in means and others:
            best = max(others, key=lambda system: means[system].mean())
            low, middle, high = interval(means["rerank_tune"] - means[best])
            print(f"  rerank_tune against {best}: {100 * middle:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]")
    print_mean(rows)


def print_mean(rows: list[dict]) -> None:
    """Ours against each other system in the mean over the sets that both ran on, queries resampled within sets, and how many times as long it trained."""
    ours = _by_set(rows, "rerank_tune")
    for system in dict.fromkeys(row["system"] for row in rows if row["system"] != "rerank_tune"):
        other = _by_set(rows, system)
        sets = [name for name in ours if name in other]
        if len(sets) < 2:
            continue
        draws = np.mean([resampled(_values(ours[name]) - _values(other[name]), seed) for seed, name in enumerate(sets)], axis=0)
        gain = np.mean([(_values(ours[name]) - _values(other[name])).mean() for name in sets])
        low, high = np.percentile(draws, [2.5, 97.5])
        times = [f"{_seconds(other[name]) / _seconds(ours[name]):.1f}" for name in sets if _seconds(other[name])]
        slower = f"; it took {', '.join(times)} times as long" if times else ""
        print(f"\nrerank_tune against {system}, mean of {', '.join(sets)}: {100 * gain:+.2f} [{100 * low:+.2f}, {100 * high:+.2f}]{slower}")


def _by_set(rows: list[dict], system: str) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for row in rows:
        if row["system"] == system:
            found.setdefault(row["set"], []).append(row)
    return found


def _values(runs: list[dict]) -> np.ndarray:
    return np.mean([row["ndcg@10"] for row in runs], axis=0)


def _seconds(runs: list[dict]) -> float:
    return float(np.median([row["seconds"] for row in runs]))


def line(system: str, runs: list[dict], values: np.ndarray) -> str:
    low, middle, high = interval(values)
    seeds = ", ".join(f"{100 * np.mean(row['ndcg@10']):.2f}" for row in runs)
    speeds = [row["tokens"] / row["seconds"] for row in runs if row.get("seconds")]
    time = f"{np.median([row['seconds'] for row in runs]):.0f} s, {np.median(speeds):.0f} tokens/s" if speeds else "no training"
    failed = "".join(f"; failed: {row['failed']}" for row in runs if "failed" in row)
    return f"  {system:22} NDCG@10 {100 * middle:.2f} [{100 * low:.2f}, {100 * high:.2f}] (seeds {seeds}); {time}; peak {max(row['peak_memory_bytes'] for row in runs) / 1e9:.1f} GB{failed}"


def interval(values: np.ndarray) -> tuple[float, float, float]:
    """Mean with its 95 % percentile bootstrap over queries."""
    low, high = np.percentile(resampled(values), [2.5, 97.5])
    return float(low), float(values.mean()), float(high)


def resampled(values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Means of RESAMPLES draws of as many queries."""
    chosen = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    return values[chosen].mean(axis=1)
