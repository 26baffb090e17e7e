"""The report: tables of what was measured, beside what was to be reached. It measures nothing, and omits nothing."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from load.driver import BUSY, LIGHT
from load.figures import Figures
from load.functions import Timing
from load.picture import Bar, Panel, svg
from load.scenarios import GENERATED, ColdStart, Duplicates, Expiring, Outage
from load.trial import Arrangement


@dataclass
class Report:
    database: str
    machine: str
    ceiling: float
    warm_up: int
    # By arrangement and skew.
    mixes: dict[tuple[Arrangement, float], Figures] = field(default_factory=dict)
    # Off, and on.
    light: list[Figures] = field(default_factory=list)
    functions: list[Timing] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)
    expiring: list[Expiring] = field(default_factory=list)
    duplicates: list[Duplicates] = field(default_factory=list)
    cold_start: ColdStart | None = None

    def figures(self, workers: int, *, cached: bool, redis: bool = False, skew: float = 0.9) -> Figures:
        return self.mixes[Arrangement(workers, cached=cached, redis=redis), skew]


def text(report: Report) -> str:
    sections = [
        ("Bars", bars(report)),
        (f"The mix with {BUSY} connections", mixes(report)),
        (f"The mix with {LIGHT} connections, 4 workers, Zipf 0.9: median in ms", kinds(report)),
        ("Functions, in one process without HTTP: median in ms", functions(report)),
        ("Hit rates by namespace, 4 workers", namespaces(report)),
        ("Redis and the sidecar killed under load, 4 workers", outages(report)),
        ("One hot quiz that expires each second, 4 workers, everybody asks for it", expiring(report)),
        ("The same questions asked of the model by many, 4 workers", duplicates(report)),
        ("From nothing to warm, 4 workers", cold_start(report)),
        ("What failed (5xx, or a broken connection) and what was refused", errors(report)),
    ]
    return "\n".join([opening(report), *(f"## {title}\n\n{body}\n" for title, body in sections)])


def opening(report: Report) -> str:
    most = max(found.rate for found in report.mixes.values())
    share = max(found.generator_share for found in report.mixes.values())
    return f"""# What the cache does to the quiz application

Made by `make example-report`. {report.machine} Database: {report.database}.

![requests a second, statements, medians](report.svg)

Users, quizzes and what is done with them are drawn before anything is asked, so that each arrangement gets the same
load: {BUSY} connections, each asking for the next thing as soon as it is answered, and for response times {LIGHT}.
Where the cache is on, it has been warmed by the application and by {report.warm_up:,} requests that are not counted.
The delays of Canvas and of the model are those of the real ones, and the same whoever asks.

The load generator alone, against a server that answers everything at once, makes {report.ceiling:,.0f} requests a
second; the most that was asked of it is {most:,.0f}, and the most that it took of one core is {share:.0%}. It shares
the cores with what it measures, which costs the faster arrangement more.
"""


# Bars


def bars(report: Report) -> str:
    off, on = report.figures(4, cached=False), report.figures(4, cached=True)
    single = report.figures(1, cached=True).rate / report.figures(1, cached=False).rate
    saved = [timing.saved for timing in report.functions]
    queries = 1 - per_thousand(on) / per_thousand(off)
    first, last = report.duplicates[0], report.duplicates[-1]
    calls = 1 - last.llm_calls / first.llm_calls
    failed = sum(outage.result.failed for outage in report.outages)
    start = report.cold_start
    assert start is not None, "a report has all of it"
    rows = [
        row(
            "cached functions faster, at the median",
            ">= 90 %",
            f"{statistics.median(saved):.0%}",
            min(saved) >= 0.9,
            f"least {min(saved):.0%}; {sum(one >= 0.9 for one in saved)} of {len(saved)} reach it",
        ),
        row("fewer statements", ">= 80 %", f"{queries:.0%}", queries >= 0.8, "4 workers, Zipf 0.9, memory"),
        row("hit rate", ">= 90 %", f"{on.hit_rate or 0:.1%}", (on.hit_rate or 0) >= 0.9, "the same"),
        row("fewer calls of the model", ">= 70 %", f"{calls:.0%}", calls >= 0.7, "duplicate requests"),
        row(
            "requests a second",
            ">= 4 x",
            f"{on.rate / off.rate:.1f} x",
            on.rate / off.rate >= 4,
            f"4 workers; with 1 worker {single:.1f} x",
        ),
        row(
            "from start to warm",
            "< 2 s",
            f"{start.warming_seconds:.2f} s",
            start.warming_seconds < 2,
            f"{start.kept:,} entries; {start.warm_seconds:.1f} s with the start of all processes",
        ),
        row("failed requests while Redis or the sidecar is killed", "0", f"{failed}", failed == 0, ""),
    ]
    return table(["", "wanted", "reached", "", ""], rows)


def row(what: str, wanted: str, reached: str, is_met: bool, note: str) -> list[str]:
    return [what, wanted, reached, "met" if is_met else "**missed**", note]


def per_thousand(found: Figures) -> float:
    return found.statements / found.requests * 1000


# Tables


def mixes(report: Report) -> str:
    rows = [
        [
            str(arrangement),
            f"{skew}",
            f"{found.rate:,.0f}",
            f"{found.median_ms:.1f}",
            f"{found.p99_ms:,.0f}",
            f"{per_thousand(found):,.0f}",
            f"{found.llm_calls:,}",
            f"{found.canvas_calls:,}",
            "" if found.hit_rate is None else f"{found.hit_rate:.1%}",
            f"{found.cpu_ms:.2f}",
            f"{found.generator_share:.0%}",
            f"{found.failed}",
            f"{found.refused}",
            f"{found.stale}",
        ]
        for (arrangement, skew), found in report.mixes.items()
    ]
    head = [
        "",
        "Zipf",
        "requests/s",
        "median ms",
        "p99 ms",
        "statements per 1,000",
        "LLM",
        "Canvas",
        "hit rate",
        "CPU ms a request",
        "generator's CPU",
        "failed",
        "refused",
        "stale",
    ]
    return table(head, rows)


def kinds(report: Report) -> str:
    off, on = report.light
    all_of_it = ["all", f"{off.median_ms:.1f}", f"{on.median_ms:.1f}", f"{1 - on.median_ms / off.median_ms:.0%}"]
    rows = [
        [kind, f"{before:.1f}", f"{on.medians_ms[kind]:.1f}", f"{1 - on.medians_ms[kind] / before:.0%}"]
        for kind, before in off.medians_ms.items()
        if kind in on.medians_ms
    ]
    slow = f"The slowest of a hundred took {off.p99_ms:,.0f} ms off, and {on.p99_ms:,.0f} ms on."
    return table(["", "off", "memory", "faster"], [all_of_it, *rows]) + f"\n\n{slow}"


def functions(report: Report) -> str:
    rows = [
        [f"`{one.name}`", f"{one.uncached_ms:,.2f}", f"{one.hit_ms:.3f}", f"{one.saved:.1%}"]
        for one in report.functions
    ]
    return table(["", "uncached", "hit", "faster"], rows)


def namespaces(report: Report) -> str:
    chosen = [(key, found) for key, found in report.mixes.items() if key[0].workers == 4 and key[0].cached]
    names = sorted({name for _, found in chosen for name in found.hit_rates})
    head = ["", *(f"{arrangement}, Zipf {skew}" for (arrangement, skew), _ in chosen)]
    rows = [[name, *(f"{found.hit_rates.get(name, 0):.1%}" for _, found in chosen)] for name in names]
    return table(head, rows)


def outages(report: Report) -> str:
    rows = [
        [
            f"{outage.what}: {name}",
            f"{rate:,.0f}",
            f"{median:.1f}",
            f"{slow:.0f}",
            f"{asked:.2f}",
            f"{outage.result.failed}",
            f"{outage.result.stale}",
        ]
        for outage in report.outages
        for name, rate, median, slow, asked in outage.phases()
    ]
    head = [
        "",
        "requests/s",
        "median ms of quick reads",
        "p99 ms",
        "statements a request",
        "failed in all",
        "stale in all",
    ]
    told = (
        "Stale are reads that began after a change had been answered, and showed what was before it. While no sidecar "
        "runs nobody can be told of a change, and Redis goes on having what was before it."
    )
    return f"{table(head, rows)}\n\n{told}"


def expiring(report: Report) -> str:
    rows = [
        [
            str(one.arrangement),
            f"{len(one.result.samples) / one.result.seconds:,.0f}",
            f"{one.result.seconds:.0f}",
            f"{one.statements:,}",
            f"{one.statements / one.result.seconds:.1f}",
            f"{one.result.failed}",
        ]
        for one in report.expiring
    ]
    return table(["", "requests/s", "seconds", "statements", "statements a second", "failed"], rows)


def duplicates(report: Report) -> str:
    rows = [
        [
            str(one.arrangement),
            f"{one.requests} over {one.distinct} sets of modules, {GENERATED} questions each",
            f"{one.seconds:.1f}",
            f"{statistics.median(one.in_order):.2f}",
            f"{one.llm_calls}",
            f"{one.canvas_calls}",
            f"{one.failed}",
        ]
        for one in report.duplicates
    ]
    return table(["", "generations", "seconds for all", "median s", "LLM calls", "Canvas calls", "failed"], rows)


def cold_start(report: Report) -> str:
    start = report.cold_start
    assert start is not None, "a report has all of it"
    rate = start.figures.hit_rate or 0
    return (
        f"Sidecar and workers serve {start.serving_seconds:.1f} s after they were started. One worker warms: "
        f"{start.kept:,} entries in {start.warming_seconds:.2f} s. All of it took {start.warm_seconds:.1f} s. Of what "
        f"the next 500 requests read {rate:.0%} are hits."
    )


def errors(report: Report) -> str:
    told = [
        *((f"the mix: {arrangement}, Zipf {skew}", one.errors) for (arrangement, skew), one in report.mixes.items()),
        *(
            (f"{LIGHT} connections, {how}", one.errors)
            for how, one in zip(("off", "memory"), report.light, strict=True)
        ),
        *((f"{one.what} killed", one.result.errors) for one in report.outages),
        *((f"a hot quiz: {one.arrangement}", one.result.errors) for one in report.expiring),
    ]
    rows = [[where, f"`{what}`", f"{count}"] for where, counts in told for what, count in counts.items()]
    return table(["", "told", "times"], rows) if rows else "Nothing."


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


# The picture


def picture(report: Report) -> str:
    found = [
        (f"{arrangement}, Zipf {skew}", arrangement.cached, one) for (arrangement, skew), one in report.mixes.items()
    ]
    off, on = report.light
    by_kind = [
        Bar(f"{kind}, {'memory' if cached else 'off'}", one.medians_ms[kind], f"{one.medians_ms[kind]:.1f}", cached)
        for kind in ("quiz", "full", "list", "questions", "statistics", "user")
        for cached, one in ((False, off), (True, on))
        if kind in one.medians_ms
    ]
    return svg(
        [
            Panel(
                "Requests a second", [Bar(label, one.rate, f"{one.rate:,.0f}", is_on) for label, is_on, one in found]
            ),
            Panel(
                "Statements per 1,000 requests",
                [Bar(label, per_thousand(one), f"{per_thousand(one):,.0f}", is_on) for label, is_on, one in found],
            ),
            Panel(f"Median of reads in ms, {LIGHT} connections, 4 workers, Zipf 0.9", by_kind),
        ]
    )
