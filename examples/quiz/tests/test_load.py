"""The load and its report, without anything to drive: what is drawn, counted and told."""

import itertools
from collections import Counter
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from load import report as reporting
from load.ceiling import requests_a_second
from load.driver import Result, Sample
from load.figures import Figures, figures, p99_ms
from load.functions import Timing
from load.mix import SHARES, WRITES, Step, steps
from load.report import Report
from load.scenarios import ColdStart, Duplicates, Expiring, Outage
from load.trial import Arrangement
from seed import owner


def drawn(skew: float, seed: int, count: int) -> list[Step]:
    return list(itertools.islice(steps(skew, seed), count))


def test_the_same_seed_draws_the_same_load() -> None:
    assert drawn(0.9, 1, 500) == drawn(0.9, 1, 500)
    assert drawn(0.9, 1, 500) != drawn(0.9, 2, 500)


def test_the_load_is_what_it_is_said_to_be() -> None:
    asked = drawn(0.9, 1, 20_000)
    kinds = Counter(step.kind for step in asked)
    assert sum(SHARES.values()) == 1000
    assert sum(SHARES[kind] for kind in WRITES) == 50
    for kind, share in SHARES.items():
        assert kinds[kind] / len(asked) == pytest.approx(share / 1000, abs=0.01)
    quizzes = Counter(step.quiz for step in asked)
    # By Zipf's law the tenth is asked for a 10 ** 0.9th part as often as the first.
    assert quizzes[9] / quizzes[0] == pytest.approx(10**-0.9, abs=0.05)
    assert all(step.user == owner(step.quiz, 500) for step in asked if step.kind in WRITES)


def test_what_is_counted() -> None:
    samples = [Sample("quiz", 0.0, number / 1000, 2) for number in range(1, 101)]
    result = Result(seconds=2.0, samples=samples, failed=1, stale=3)
    before = {"quizzes": {"hits": 10, "misses": 10}}
    after = {"quizzes": {"hits": 100, "misses": 20}, "users": {"hits": 5, "misses": 5}}
    found = figures(result, before, after, llm_calls=4, canvas_calls=5, cpu_seconds=0.2)
    assert (found.rate, found.statements, found.failed, found.stale) == (50.0, 200, 1, 3)
    assert (found.median_ms, p99_ms(samples), found.cpu_ms) == pytest.approx((50.5, 100.0, 2.0))
    assert found.hit_rates == {"quizzes": 0.9, "users": 0.5}
    assert found.hit_rate == pytest.approx(95 / 110)


@pytest.fixture
def report() -> Report:
    samples = [Sample("quiz", second / 10, 0.01, 1) for second in range(120)]
    off = figures(Result(seconds=10.0, samples=samples), {}, {}, llm_calls=9, canvas_calls=9, cpu_seconds=1.0)
    on = replace(off, seconds=2.5, statements=24, hit_rate=0.95, hit_rates={"quizzes": 0.95})
    made = Report("SQLite", "2 cores.", 9000.0, 3000)
    for workers in (1, 4):
        for cached, found in ((False, off), (True, on)):
            made.mixes[Arrangement(workers, cached=cached), 0.9] = found
    made.light = [off, on]
    made.functions = [Timing("get_quiz", 2.0, 0.1)]
    made.outages = [Outage("Redis", 4.0, Result(seconds=12.0, samples=samples))]
    made.expiring = [Expiring(Arrangement(4), Result(seconds=12.0, samples=samples))]
    made.duplicates = [
        Duplicates(Arrangement(4, cached=cached), 80, 10, 5.0, [1.0, 2.0], calls, 8, 0)
        for cached, calls in ((False, 800), (True, 100))
    ]
    made.cold_start = ColdStart(3.0, 4.0, 1.5, 1000, on)
    return made


def test_a_report_says_what_was_reached_and_what_was_missed(report: Report) -> None:
    said = reporting.text(report)
    assert "missed" not in said
    assert "Nothing." in said
    assert "| requests a second | >= 4 x | 4.0 x | met |" in said
    report.outages[0].result.failed = 1
    report.outages[0].result.errors["update: 500 Internal Server Error"] = 1
    report.mixes[Arrangement(4), 0.9] = slower(report.mixes[Arrangement(4), 0.9])
    said = reporting.text(report)
    assert "| requests a second | >= 4 x | 2.0 x | **missed** |" in said
    assert "| failed requests while Redis or the sidecar is killed | 0 | 1 | **missed** |" in said
    assert "| Redis killed | `update: 500 Internal Server Error` | 1 |" in said


def slower(found: Figures) -> Figures:
    return replace(found, seconds=5.0)


def test_the_picture_is_one(report: Report) -> None:
    assert ElementTree.fromstring(reporting.picture(report)).tag.endswith("svg")


def test_the_generator_by_itself() -> None:
    assert requests_a_second(0.2) > 0
