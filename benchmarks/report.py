"""How long a report of 1,000 trials with 100 evaluations each takes, how large it is, and how soon a browser shows it.

python benchmarks/report.py
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

import hyperpilot as hp
from hyperpilot.records import Finished, Job, Report, Submitted
from hyperpilot.runtime.study import Study

TRIALS, POINTS, HORIZON = 1000, 100, 100_000


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "study"
        _write(folder)
        for model in (False, True):
            began = time.perf_counter()
            path = hp.report(folder, model=model).save(folder / "report.html")
            took, size = time.perf_counter() - began, path.stat().st_size / 1e6
            print(f"{'with' if model else 'without'} the model: written in {took:.1f} s, {size:.1f} MB")
        _open(path)


def _write(folder: Path) -> None:
    """PPO's whole space, with scores that rise the more the better the learning rate is."""
    study = Study.of(algorithm="ppo", env="CartPole-v1", total_steps=10**9, horizon=HORIZON, workers=8)
    rng = np.random.default_rng(0)
    events: list[object] = []
    for trial, config in enumerate(study.build_space().sample(TRIALS, rng)):
        job = Job(trial, config, trial, HORIZON, HORIZON)
        events.append(Submitted(job, 1e9 + 10 * trial))
        best = 10 - (np.log10(float(config["learning_rate"])) + 3.5) ** 2
        for k in range(1, POINTS + 1):
            score = best * k / POINTS + float(rng.normal(0, 0.5))
            events.append(Report(job.run, HORIZON * k // POINTS, score, {}, 0.8 * k))
        events.append(Finished(job.run, 1e9 + 10 * trial + 80))
    study.write(folder)
    store = study.open_store(folder)
    store.append(events)  # type: ignore[arg-type]
    store.close()


def _open(path: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        began = time.perf_counter()
        page.goto(path.as_uri())
        print(f"readable after {time.perf_counter() - began:.1f} s", end=", ")
        page.wait_for_selector("html[data-drawn]", timeout=120_000)
        print(f"drawn after {time.perf_counter() - began:.1f} s", end=", ")
        began = time.perf_counter()
        page.locator("#leaders button").first.click()
        page.wait_for_selector("#panel:not([hidden])")
        print(f"a trial picked in {time.perf_counter() - began:.1f} s")
        browser.close()


if __name__ == "__main__":
    main()
