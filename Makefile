# What is done with this repository, by one word each. `make` alone lists them.

.DEFAULT_GOAL := help
.PHONY: help setup run test lint format bench bench-build bench-python bench-swift soak simulate example example-report example-socat test-example-swift sanitize

SWIFT := scripts/swift
SWIFT_SOURCES := Sources Tests Snippets Package.swift benchmarks/swift/Sources benchmarks/swift/Package.swift \
    examples/swift/Sources examples/swift/Package.swift
PYTHON_BIN := .venv/bin/python
PYTHON := $(PYTHON_BIN) -m
PYTHON_TESTS := Tests/python
PYTHON_CLIENT := clients/python
PYTHON_BENCH := benchmarks/python
QUIZ := examples/quiz
BOARD := examples/swift
# Some tests connect as somebody else, which only root may: who isn't root is so in a namespace of its own.
AS_ROOT := $(if $(filter-out 0,$(shell id -u)),unshare --map-root-user --map-auto)
SOCKET := run/pannier.sock

# The binary that the Python tests and the examples start. An absolute path, since they run in folders of their own; for them
# alone, since the daemon warns of a PANNIER_ variable that it doesn't know.
test example example-socat: export PANNIER_BIN ?= $(CURDIR)/.build/debug/pannier
example-report: export PANNIER_BIN ?= $(CURDIR)/.build/release/pannier
example example-report: export PYTHONPATH = $(CURDIR)/$(PYTHON_CLIENT)/src

help:
	@echo 'make run       build it and serve on ./$(SOCKET), in memory alone'
	@echo 'make test      build with the import check, run the Swift tests and the Python tests'
	@echo 'make lint      what CI asks of the style: swift format, ruff, mypy, basedpyright'
	@echo 'make format    bring Swift and Python into that style'
	@echo 'make example   the quiz application with all that it needs, to click on; Ctrl-C ends it'
	@echo 'make example-report  what the cache does to the quiz application, measured; ten minutes on a quiet machine'
	@echo 'make example-socat  build it, start it on a socket of its own, and speak to it with socat'
	@echo 'make bench     instructions a request, memory an entry, pauses, throughput; ten minutes'
	@echo 'make bench-build  how long a clean release build takes'
	@echo 'make bench-python  the Python client beside its peers, each on its own server; two minutes'
	@echo 'make bench-swift  the Swift client beside a bare round trip by NIO; a minute, after building it'
	@echo 'make test-example-swift  a service in Swift and the quiz application on one sidecar; minutes to build'
	@echo 'make soak      kills, rivals, rude clients and random requests, and long model tests; half an hour'
	@echo 'make simulate  1,000,000 random schedules of leases, and of hosts that share a Redis, against their rules; PANNIER_SIMULATION_SEED=7 replays one'
	@echo 'make sanitize  the Swift tests under the thread and the address sanitizer'
	@echo 'make setup     install what all of these need, where it is missing'

setup:
	@scripts/setup all

run:
	@scripts/setup run
	$(SWIFT) build -c release --product pannier
	@mkdir -p $(dir $(SOCKET))
	@echo
	@echo 'Talk to it from another terminal, here:'
	@echo "  echo '{\"op\":\"ping\"}' | socat - UNIX-CONNECT:$(SOCKET)"
	@echo '  .build/release/pannier stats --socket $(SOCKET)'
	@echo 'Ctrl-C ends it.'
	@echo
	@exec .build/release/pannier serve --socket $(SOCKET)

# The import check prints "Build complete!" even where it found something: its exit status is what counts.
test:
	@scripts/setup test
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(AS_ROOT) $(SWIFT) test --skip-build
	cd $(PYTHON_TESTS) && $(AS_ROOT) ../../$(PYTHON) pytest
	cd $(PYTHON_CLIENT) && ../../$(PYTHON) pytest
	cd $(QUIZ) && ../../$(PYTHON) pytest

lint:
	@scripts/setup test
	$(SWIFT) format lint --strict -r $(SWIFT_SOURCES)
	cd $(PYTHON_TESTS) && ../../$(PYTHON) ruff check .
	cd $(PYTHON_TESTS) && ../../$(PYTHON) ruff format --check .
	cd $(PYTHON_TESTS) && ../../$(PYTHON) mypy --strict .
	cd $(PYTHON_TESTS) && ../../.venv/bin/basedpyright .
	cd $(PYTHON_CLIENT) && ../../$(PYTHON) ruff check . && ../../$(PYTHON) ruff format --check .
	cd $(PYTHON_CLIENT) && ../../$(PYTHON) mypy --strict src tests
	cd $(PYTHON_CLIENT) && ../../.venv/bin/basedpyright
	cd $(QUIZ) && ../../$(PYTHON) ruff check . && ../../$(PYTHON) ruff format --check .
	cd $(QUIZ) && ../../$(PYTHON) mypy --strict .
	cd $(QUIZ) && ../../.venv/bin/basedpyright
	cd $(BOARD) && ../../$(PYTHON) ruff check . && ../../$(PYTHON) ruff format --check .
	cd $(BOARD) && ../../$(PYTHON) mypy --strict tests && ../../.venv/bin/basedpyright
	cd benchmarks && ../$(PYTHON) ruff check .
	cd benchmarks && ../$(PYTHON) ruff format --check .
	cd benchmarks && ../$(PYTHON) mypy --strict . && ../$(PYTHON) mypy --strict --scripts-are-modules run soak
	cd benchmarks && ../.venv/bin/basedpyright . run soak
	cd $(PYTHON_BENCH) && ../../$(PYTHON) ruff check . && ../../$(PYTHON) ruff format --check .
	cd $(PYTHON_BENCH) && ../../$(PYTHON) mypy --strict . && ../../$(PYTHON) mypy --strict --scripts-are-modules run
	cd $(PYTHON_BENCH) && ../../.venv/bin/basedpyright

format:
	@scripts/setup test
	$(SWIFT) format -i -r $(SWIFT_SOURCES)
	cd $(PYTHON_TESTS) && ../../$(PYTHON) ruff check --fix .
	cd $(PYTHON_TESTS) && ../../$(PYTHON) ruff format .
	cd $(PYTHON_CLIENT) && ../../$(PYTHON) ruff check --fix . && ../../$(PYTHON) ruff format .
	cd $(QUIZ) && ../../$(PYTHON) ruff check --fix . && ../../$(PYTHON) ruff format .
	cd $(BOARD) && ../../$(PYTHON) ruff check --fix . && ../../$(PYTHON) ruff format .
	cd benchmarks && ../$(PYTHON) ruff check --fix .
	cd benchmarks && ../$(PYTHON) ruff format .
	cd $(PYTHON_BENCH) && ../../$(PYTHON) ruff check --fix . && ../../$(PYTHON) ruff format .

# A miss of a bound is an error of either.
bench:
	@scripts/setup bench
	$(SWIFT) build -c release --product pannier
	$(PYTHON_BIN) benchmarks/run

bench-build:
	@scripts/setup bench
	$(PYTHON_BIN) benchmarks/run build

# The peers' packages are in a virtual environment of their own.
bench-python: export PYTHONPATH := $(CURDIR)/benchmarks:$(CURDIR)/$(PYTHON_CLIENT)/src
bench-python:
	@scripts/setup bench-python
	$(SWIFT) build -c release --product pannier
	.venv-bench/bin/python $(PYTHON_BENCH)/run $(PYTHON_BENCH)/report

# The client is in a package of its own there, which the others don't build.
bench-swift:
	@scripts/setup bench
	$(SWIFT) build -c release --product pannier
	$(SWIFT) build -c release --package-path benchmarks/swift
	$(PYTHON_BIN) benchmarks/run swift

soak:
	@scripts/setup bench
	$(SWIFT) build -c release --product pannier
	$(PYTHON_BIN) benchmarks/soak
	PANNIER_CANCELLATIONS=10000 $(SWIFT) test --filter cancellationCosts

# A build of its own, optimized: as slow as the tests' build it would take half an hour.
simulate: export PANNIER_SCHEDULES ?= 1000000
simulate: export PANNIER_SHARED_SCHEDULES ?= 1000000
simulate:
	@scripts/setup run
	$(SWIFT) test -c release -Xswiftc -enable-testing --scratch-path .build-simulate --filter 'leasesKeep|hostsKeep|oneSchedule'

# Hummingbird takes minutes to build: it is in no other target.
test-example-swift: export PANNIER_BIN := $(CURDIR)/.build/debug/pannier
test-example-swift:
	@scripts/setup test
	$(SWIFT) build --product pannier
	$(SWIFT) build --package-path examples/swift
	$(PYTHON) pytest examples/swift/tests -q -p no:cacheprovider

example:
	@scripts/setup test
	$(SWIFT) build --product pannier
	@cd $(QUIZ) && exec ../../$(PYTHON) stage

example-report:
	@scripts/setup test
	$(SWIFT) build -c release --product pannier
	cd $(QUIZ) && ../../$(PYTHON) load

example-socat:
	@scripts/setup run
	$(SWIFT) build --product pannier
	examples/socat/run

# Builds of their own: a sanitizer changes every object file. Leaks are not looked for: the test runner itself has some. A
# tenth of the schedules: under the thread sanitizer each takes fifteen times as long.
sanitize: export PANNIER_SCHEDULES ?= 10000
sanitize: export PANNIER_SHARED_SCHEDULES ?= 1000
sanitize:
	@scripts/setup run
	ASAN_OPTIONS=detect_leaks=0 $(SWIFT) test --sanitize=address --scratch-path .build-address
	$(SWIFT) test --sanitize=thread --scratch-path .build-thread
