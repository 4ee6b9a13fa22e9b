# Two commands matter: `make run` and `make test`. The rest is for whoever works on the code.
.DEFAULT_GOAL := help
PY := .venv/bin/python

.PHONY: help
help:  ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: setup
setup:  ## environment with everything that the checks and tests need
	@scripts/bootstrap.sh dev

# PORT, HOST, DATA_DIR and DATABASE_URL reach the application through the environment.
.PHONY: run
run:  ## set up what is missing and serve on http://127.0.0.1:8000
	@scripts/bootstrap.sh run
	@exec .venv/bin/stappenplan serve

.PHONY: test
test:  ## everything: checks, tests on both databases, the browser journey
	@scripts/bootstrap.sh tests
	@$(MAKE) --no-print-directory check
	$(PY) -m pytest -n 2

.PHONY: check
check: setup  ## format, lint, types, import direction, texts, templates, licences
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -m djlint --quiet --lint templates
	$(PY) -m reuse --no-multiprocessing lint --lines
	$(PY) -m scripts.check_texts
	$(PY) -m pytest -q -p no:cacheprovider tests/architecture

.PHONY: texts
texts: setup  ## does every text on screen have its Dutch translation?
	$(PY) -m scripts.check_texts

.PHONY: bench
bench: setup  ## speed on 342 municipalities, beside the ceilings of the machine
	$(PY) -m scripts.bench

.PHONY: prove
prove: setup  ## the long proofs: forgeries, races, isolation, random people and requests, faults in the code
	$(PY) -m scripts.prove_history
	$(PY) -m scripts.prove_races
	$(PY) -m scripts.prove_isolation
	PROVE=5 $(PY) -m pytest -q -n 2 -p no:cacheprovider tests/engine/run_migration/test_moving_machine.py
	STAPPENPLAN_SEQUENCES=100 STAPPENPLAN_EXAMPLES=40 $(PY) -m pytest -q -s -n 0 -p no:cacheprovider \
		tests/security/test_people_at_work.py tests/security/test_schemathesis.py
	$(PY) -m scripts.prove_faults

.PHONY: format
format: setup  ## put the code in its agreed form
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

.PHONY: schema
schema: setup  ## before the first release only: write migration 0001 anew from the tables
	$(PY) -m scripts.schema rebuild

.PHONY: revision
revision: setup  ## new migration from the difference with the tables: make revision m="add due dates"
	$(PY) -m scripts.schema revision "$(m)"

.PHONY: lock
lock:  ## newest versions within the bounds of pyproject.toml and package.json
	@scripts/lock.sh

.PHONY: wheel
wheel: setup  ## dist/*.whl, with front-end assets inside
	$(PY) -m hatchling build -t wheel

.PHONY: clean
clean:  ## remove what set-up and tests made; data in ./var stays
	rm -rf .venv node_modules app/static/vendor dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
