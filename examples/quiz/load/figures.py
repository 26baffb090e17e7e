"""What is told of a load: counted and sorted, and nothing else."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from load.driver import Result, Sample
from load.mix import WRITES


@dataclass(frozen=True)
class Figures:
    requests: int
    # In these seconds `in_time` of them were answered.
    in_time: int
    seconds: float
    median_ms: float
    p99_ms: float
    statements: int
    llm_calls: int
    canvas_calls: int
    hit_rate: float | None
    hit_rates: dict[str, float]
    medians_ms: dict[str, float]
    failed: int
    refused: int
    stale: int
    errors: dict[str, int]
    generator_share: float
    # Of workers and sidecar, for a request.
    cpu_ms: float

    @property
    def rate(self) -> float:
        return self.in_time / self.seconds


def figures(
    result: Result,
    before: dict[str, dict[str, Any]],
    after: dict[str, dict[str, Any]],
    *,
    llm_calls: int,
    canvas_calls: int,
    cpu_seconds: float,
) -> Figures:
    """`before`, `after`: the sidecar's counters by namespace; none where it is off."""
    asked = {name: difference(before, after, name) for name in after}
    hits, reads = (sum(counted[place] for counted in asked.values()) for place in (0, 1))
    kinds = sorted({sample.kind for sample in result.samples})
    return Figures(
        requests=len(result.samples),
        in_time=sum(sample.ended <= result.seconds for sample in result.samples),
        seconds=result.seconds,
        median_ms=median_ms(result.samples),
        p99_ms=p99_ms(result.samples),
        statements=sum(sample.statements for sample in result.samples),
        llm_calls=llm_calls,
        canvas_calls=canvas_calls,
        hit_rate=hits / reads if reads else None,
        hit_rates={name: of / all_of for name, (of, all_of) in asked.items() if all_of},
        medians_ms={kind: median_ms(of_kind(result.samples, kind)) for kind in kinds},
        failed=result.failed,
        refused=result.refused,
        stale=result.stale,
        errors=result.errors,
        generator_share=result.cpu_share,
        cpu_ms=cpu_seconds / max(1, len(result.samples)) * 1000,
    )


def difference(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], name: str) -> tuple[int, int]:
    """Hits, and reads."""

    def counted(of: dict[str, dict[str, Any]], what: str) -> int:
        found: int = of.get(name, {}).get(what, 0)
        return found

    hits, misses = (counted(after, what) - counted(before, what) for what in ("hits", "misses"))
    return hits, hits + misses


def of_kind(samples: Iterable[Sample], kind: str) -> list[Sample]:
    return [sample for sample in samples if sample.kind == kind]


def reads(samples: Iterable[Sample]) -> list[Sample]:
    return [sample for sample in samples if sample.kind not in WRITES]


def median_ms(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.seconds for sample in samples) * 1000 if samples else 0.0


def p99_ms(samples: Sequence[Sample]) -> float:
    in_order = sorted(sample.seconds for sample in samples)
    return in_order[min(len(in_order) - 1, int(len(in_order) * 0.99))] * 1000 if in_order else 0.0
