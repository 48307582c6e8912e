# Glidepath's commands. `make help` lists them.
SHELL := bash
.ONESHELL:
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PY ?= python3
VENV := .venv
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)/plugins:$(CURDIR)
# Container images often set it: each of Airflow's many processes would then compile all it imports, for some four seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

$(VENV)/.ready: requirements.txt requirements-dev.txt
	@bin/venv $(VENV)

$(VENV)-distributed/.ready: requirements.txt requirements-dev.txt requirements-distributed.txt
	@bin/venv $(VENV)-distributed requirements-distributed.txt

.PHONY: venv
venv: $(VENV)/.ready ## install what Python needs into .venv

.PHONY: demo
demo: venv ## everything: cluster, Airflow, four releases, and a table of how they ended
	@python -m demo

.PHONY: recording
recording: venv ## the demo, and of what it said the recording in the README
	@mkdir -p .state
	python -u -m demo | tee .state/demo.log
	python -m demo.recording .state/demo.log docs/images/demo.svg

.PHONY: pictures
pictures: venv ## the screenshots of the pages in docs/images, taken anew (CHROMIUM as for view)
	@python -m tests.view.pictures

.PHONY: experiment
experiment: venv ## the experiment that the project started from, as a release; writes docs/experiment.md and its picture
	@python -m demo.experiment

.PHONY: down
down: ## end the demo's Airflow and the embedded cluster
	@if [ -x $(VENV)/bin/python ]; then python -m demo.down; fi
	$(PY) -m sandbox down

.PHONY: sandbox
sandbox: ## bring the embedded cluster up
	@$(PY) -m sandbox up

.PHONY: test
test: check unit view sandbox cluster-test ## set up and run every check and test

.PHONY: check
check: lint types contract ## lint, format, types, import contract

.PHONY: lint
lint: venv
	@echo "== lint and format"
	ruff check .
	ruff format --check .

.PHONY: types
types: venv
	@echo "== types"
	mypy

.PHONY: contract
contract: venv
	@echo "== import contract"
	lint-imports --no-cache

.PHONY: unit
unit: venv ## unit tests: no cluster
	@echo "== unit tests"
	pytest -n logical --dist worksteal -m "not long" --durations=15 tests/unit

.PHONY: view
view: venv ## the pages and their API in a real Airflow, in Chromium (CHROMIUM=program; Debian's is installed if there is none)
	@echo "== pages"
	[ -n "$(CHROMIUM)" ] || command -v chromium > /dev/null || {
	  echo "installing Debian packages: chromium fonts-dejavu-core"
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium fonts-dejavu-core
	}
	pytest tests/view

.PHONY: coverage
coverage: venv ## unit tests again, and which lines of the package they reach; pages in htmlcov/
	pytest -n logical --dist worksteal --cov=glidepath --cov-report=term:skip-covered --cov-report=html tests/unit

.PHONY: chart
chart: venv sandbox ## the charts against the real API server
	@pytest tests/chart

.PHONY: cluster-test
cluster-test: venv sandbox ## chart, dashboard and end-to-end tests on the cluster
	@echo "== tests on the cluster"
	# The longest file first: by the number of tests it would be the last, alone.
	pytest -n 2 --dist loadfile --no-loadscope-reorder tests/sandbox tests/chart tests/prometheus -m "not long" --durations=12
	pytest tests/e2e -m "not long" --durations=12
	pytest tests/services -m "not long" --durations=12
	pytest tests/faults -m "not long" --durations=12

.PHONY: e2e
e2e: venv sandbox ## all end-to-end tests, the long ones too
	@pytest tests/e2e --durations=12

.PHONY: test-services
test-services: venv sandbox ## services that know nothing of Glidepath, adopted and released by what they and the mesh count
	@pytest tests/services --durations=12

.PHONY: test-distributed
test-distributed: $(VENV)-distributed/.ready sandbox ## Airflow on several hosts (Celery, Postgres, Redis), which are killed, stopped, cut off: ONLY=triggerer
	@missing=()
	ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || missing+=(postgresql)
	command -v valkey-server > /dev/null || command -v redis-server > /dev/null || missing+=(redis-server)
	if [ $${#missing[@]} -gt 0 ]; then
	  echo "installing Debian packages: $${missing[*]}"
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$${missing[@]}"
	fi
	echo "== tests on several hosts"
	PATH=$(CURDIR)/$(VENV)-distributed/bin:$$PATH pytest -s tests/distributed $(if $(ONLY),-k "$(ONLY)") --durations=12

.PHONY: faults
faults: venv sandbox ## every fault made for real in the middle of a release
	@pytest tests/faults --durations=12

.PHONY: soak
soak: venv sandbox ## faults x phases at random moments: SECONDS=3600, SEED=1, FAULT=name, PHASE=name
	@python -m tests.faults soak --seconds $(or $(SECONDS),1800) $(if $(SEED),--seed $(SEED)) \
	  $(foreach one,$(FAULT),--fault $(one)) $(if $(PHASE),--phase "$(PHASE)")

.PHONY: faults-page
faults-page: venv ## write docs/faults.md out of what make soak has found
	@python -m tests.faults table

.PHONY: bench-judges
bench-judges: venv ## the judges' tournament, and docs/judges.md: RUNS=200, RELEASES=2000; ONLY="ramp: errors" plays some
	@if [ -n "$(ONLY)" ]; then
	  exec python -m bench.judges --runs $(or $(RUNS),200) --only "$(ONLY)"
	fi
	python -m bench.judges --runs $(or $(RUNS),200) --json bench/results/judges.json
	python -m bench.judges.many --releases $(or $(RELEASES),2000) --json bench/results/many.json
	python -m bench.judges.page

.PHONY: explore
explore: venv ## releases, crashes and the watchdog in any order, on the real code: EXAMPLES=1000
	@EXAMPLES=$(or $(EXAMPLES),1000) pytest tests/unit/release/behaviour/test_machine.py -s

.PHONY: mutants
mutants: venv ## makes the judge wrong in sixty ways: does a test notice? ONLY=file
	@python -m tests.mutants $(if $(ONLY),--only "$(ONLY)")

.PHONY: bench-speed
bench-speed: venv ## what a look costs, as ratios to a plain numpy pass
	@python -m bench.speed

.PHONY: bench-evidence
bench-evidence: venv ## what the stable's past and a look cost to read, as ratios to an earlier build: PODS=30
	@python -m bench.evidence --pods $(or $(PODS),30)

.PHONY: bench-shared
bench-shared: venv ## what many guards ask of one Prometheus, as ratios to an earlier build: GUARDS=100
	@python -m bench.shared --guards $(or $(GUARDS),100)

.PHONY: bench-look
bench-look: venv ## a look's processor time, part by part, as ratios to an earlier build, without a cluster: GUARDS=50
	@python -m bench.look --guards $(or $(GUARDS),50)

.PHONY: bench-scale
bench-scale: venv ## what a guard costs among many, as ratios to an earlier build, before a real API server: SERVICES="10 50"
	@python -m bench.scale --services $(or $(SERVICES),10 50)

.PHONY: bench-record
bench-record: venv ## what a look takes in the record and a release's page costs, as rows and packed
	@python -m bench.record

.PHONY: bench-view
bench-view: venv ## what the pages of releases cost, beside Airflow's own: server, wire, Chromium, polling
	@python -m bench.view --json bench/results/view.json

.PHONY: audit
audit: venv ## known vulnerabilities of the locked packages
	@uv tool run pip-audit --disable-pip -r requirements.txt

$(VENV)/.docs-ready: requirements-docs.txt $(VENV)/.ready
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) uv pip install -q --require-hashes -r requirements-docs.txt
	touch $@

.PHONY: docs
docs: $(VENV)/.docs-ready ## the documents as a site in .state/site, references made from code; a dead link fails
	@AIRFLOW_HOME=$(CURDIR)/.state/docs NO_MKDOCS_2_WARNING=1 mkdocs build
	echo "open .state/site/index.html"

.PHONY: lock
lock: $(VENV)/.ready ## write requirements*.txt from requirements*.in
	@uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 requirements.in -o requirements.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 --no-emit-package playwright requirements-dev.in -o requirements-dev.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 requirements-docs.in -o requirements-docs.txt
	uv pip compile -q --universal --generate-hashes --no-emit-index-url --python-version 3.11 requirements-distributed.in -o requirements-distributed.txt

.PHONY: schema
schema: venv ## write the policy's JSON Schema
	@python -c 'import json; from glidepath.policy import policy_json_schema; print(json.dumps(policy_json_schema(), indent=1))' > include/policies/policy.schema.json
