# One torch thread a process: workers are processes, and more threads than cores slow all of them down.
export OMP_NUM_THREADS := 1
PYTHON ?= python3
PIP := .venv/bin/python -m pip install --quiet --constraint constraints.txt

.PHONY: demo test check bench clean

.venv/main: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) --editable '.[sb3,box2d,video]'
	touch $@

.venv/dev: .venv/main
	$(PIP) --editable '.[sb3,box2d,video,plots,report,postgres,botorch,tfp,jax,mjx,forest,optuna,mlflow,wandb,ray,gui,dev]'
	touch $@

demo: .venv/main
	.venv/bin/hyperpilot tune ppo CartPole-v1 --total-steps 900k --horizon 20k --test-share 0.35 --workers 2 \
	  --study studies/demo

# Two processes are twice as fast. One that a library takes down is replaced once, or a test that always does would go on for hours.
test: .venv/dev
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile --max-worker-restart 1

check: .venv/dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/dev
	.venv/bin/python benchmarks/overhead.py

clean:
	rm -rf .venv
