"""Says what this environment has: used by `doctor` and `env` as a real run of the worker."""
from __future__ import annotations

from ..protocol import Done, Job
from ..reporter import Reporter


def run(job: Job, reporter: Reporter) -> Done:
    import torch

    reporter.phase("describe", 1, 1)
    capability = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    return Done(
        outputs={
            "torch": torch.__version__,
            "cuda": torch.cuda.is_available(),
            "cuda_device": torch.cuda.get_device_name(0) if torch.cuda.is_available() else None,
            "cpu_bf16": bool(capability),
            "threads": torch.get_num_threads(),
        },
        metrics={},
        durations={},
    )
