"""`python -m load`: all scenarios, one after the other, and the report of them."""

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
from pathlib import Path

from load import report as reporting
from load.ceiling import requests_a_second
from load.databases import databases
from load.functions import timings
from load.report import Report
from load.scenarios import FULL, SHORT, Bench
from load.trial import Arrangement
from stage.application import standins

MIXES = [
    (Arrangement(1, cached=False), 0.9),
    (Arrangement(1), 0.9),
    (Arrangement(1, redis=True), 0.9),
    (Arrangement(4, cached=False), 0.9),
    (Arrangement(4), 0.9),
    (Arrangement(4, redis=True), 0.9),
    (Arrangement(4, cached=False), 0.6),
    (Arrangement(4), 0.6),
    (Arrangement(4, redis=True), 0.6),
]


def main() -> None:
    parser = argparse.ArgumentParser(prog="load", description="Measures the application, its cache off and on.")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--short", action="store_true", help="a few of each request, to see that all of it works")
    parser.add_argument("--to", type=Path, default=Path(__file__).parents[1] / "report", metavar="FOLDER")
    asked = parser.parse_args()
    # However it is ended, what it has started is ended, too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    begun = time.monotonic()
    report = measured(asked.database, is_short=asked.short)
    text = reporting.text(report)
    folder: Path = asked.to
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(text, encoding="utf-8")
    (folder / "report.svg").write_text(reporting.picture(report), encoding="utf-8")
    print(text)
    print(f"Written to {folder}, after {time.monotonic() - begun:.0f} s.")


def measured(database: str, *, is_short: bool) -> Report:
    size = SHORT if is_short else FULL
    with databases(database) as filled, standins(1.0) as asked, tempfile.TemporaryDirectory() as folder:
        say("the generator by itself")
        report = Report(filled.name, machine(), requests_a_second(1 if is_short else 3), size.warm_up)
        bench = Bench(filled, asked, size)
        for arrangement, skew in MIXES:
            say(f"the mix: {arrangement}, Zipf {skew}")
            report.mixes[arrangement, skew] = bench.mix(arrangement, skew)
        for cached in (False, True):
            say("the mix with few connections")
            report.light.append(bench.light(Arrangement(4, cached=cached)))
        say("functions")
        report.functions = timings(filled, asked)
        for what in ("Redis", "the sidecar"):
            say(f"{what} is killed")
            report.outages.append(bench.outage(what))
        for cached in (False, True):
            say("a hot key that expires")
            report.expiring.append(bench.expiring(Arrangement(4, cached=cached), Path(folder)))
            say("duplicates")
            report.duplicates.append(bench.duplicates(Arrangement(4, cached=cached)))
        say("from cold to warm")
        report.cold_start = bench.cold_start()
    return report


def machine() -> str:
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return f"{cores} cores ({platform.machine()}), Python {platform.python_version()}; load before it {load:.1f}."


def say(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
