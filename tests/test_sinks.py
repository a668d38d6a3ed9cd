"""A study mirrored in Optuna, MLflow and Weights & Biases."""

import json
import runpy
from pathlib import Path

import pytest

pytest.importorskip("optuna")

import optuna
import reported
from calling import call
from optuna.trial import TrialState

from hyperpilot.errors import InvalidStudy, MissingExtra
from hyperpilot.records import Finished, History
from hyperpilot.registry import load, missing_extra
from hyperpilot.reports.record import Record
from hyperpilot.sinks.optuna import OptunaSink

HUB = Path(__file__).parent.parent / "optunahub" / "package"


def record(events, study, state="running"):
    return Record("cart", study, events, History().extend(events), state)


@pytest.fixture(scope="module")
def study():
    return reported.settings()


@pytest.fixture(scope="module")
def events(study):
    return reported.told(study, trials=10, tested=2)


def mirrored(url, name="cart"):
    return optuna.load_study(study_name=name, storage=url)


def test_the_optuna_mirror_shows_what_the_log_says(tmp_path, study, events):
    url = f"sqlite:///{tmp_path}/o.db"
    OptunaSink(url).update(record(events, study))
    found = mirrored(url)
    runs = record(events, study).history.search
    assert len(found.trials) == len(runs) and len(mirrored(url, "cart (test)").trials) == 4
    assert [d.name for d in found.directions] == ["MAXIMIZE"] and found.metric_names == ["return"]
    by_key = {trial.user_attrs["hyperpilot"]: trial for trial in found.trials}
    states = {trial.state for trial in found.trials}
    assert {TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL} <= states
    for run in runs:
        trial = by_key[f"{run.id.trial}/{run.id.seed}"]
        assert trial.intermediate_values == {r.step: r.score for r in run.reports}
        assert trial.params["learning_rate"] == run.config["learning_rate"]
        if run.complete:
            assert trial.value == pytest.approx(run.promise)
    failed = by_key["5/5"]
    assert failed.state == TrialState.FAIL and failed.user_attrs["failure"] == "diverged: NaN"
    assert found.best_value == pytest.approx(max(run.promise for run in runs if run.complete))
    optuna.visualization.plot_intermediate_values(found)
    optuna.visualization.plot_param_importances(found)


def test_a_live_mirror_cut_anywhere_ends_as_one_that_was_not(tmp_path, study, events):
    """After every event a new sink, as if each before had been killed."""
    whole, cut = (f"sqlite:///{tmp_path}/{name}.db" for name in ("whole", "cut"))
    OptunaSink(whole).update(record(events, study))
    for end in range(3, len(events), 29):
        OptunaSink(cut).update(record(events[:end], study))
    sink = OptunaSink(cut)
    assert sink.update(record(events, study)) > 0
    assert sink.update(record(events, study)) == 0
    assert OptunaSink(cut).update(record(events, study)) == 0
    for name in ("cart", "cart (test)"):
        first, second = ({t.user_attrs["hyperpilot"]: t for t in mirrored(url, name).trials} for url in (whole, cut))
        assert first.keys() == second.keys()
        for key, trial in first.items():
            other = second[key]
            assert (trial.state, trial.values, trial.params) == (other.state, other.values, other.params)
            assert trial.intermediate_values == other.intermediate_values


def test_what_is_paused_runs_until_the_search_is_over(tmp_path, study):
    events = reported.told(study, trials=5, tested=0, running=False, diverged=None)
    url = f"sqlite:///{tmp_path}/o.db"
    sink = OptunaSink(url)
    sink.update(record(events, study))
    assert [trial.state for trial in mirrored(url).trials].count(TrialState.RUNNING) == 3
    sink.update(record(events, study, "finished"))
    assert [trial.state for trial in mirrored(url).trials].count(TrialState.PRUNED) == 3


def test_several_goals_have_a_direction_each(tmp_path):
    study = reported.settings(objective="return,-wall_s")
    events = reported.told(study, trials=5, tested=0, running=False, diverged=None)
    url = f"sqlite:///{tmp_path}/o.db"
    OptunaSink(url).update(record(events, study))
    found = mirrored(url)
    assert [d.name for d in found.directions] == ["MAXIMIZE", "MINIMIZE"] and found.metric_names == ["return", "wall_s"]
    assert found.best_trials and all(trial.values[1] > 0 for trial in found.best_trials)


def test_another_study_of_the_name_is_left_alone(tmp_path, study, events):
    url = f"sqlite:///{tmp_path}/o.db"
    OptunaSink(url).update(record(events, study))
    other = study.model_copy(update={"seed": 7})
    with pytest.raises(InvalidStudy, match="another study 'cart'"):
        OptunaSink(url).update(record(events, other))
    OptunaSink(url, "other").update(record(events, other))
    with pytest.raises(InvalidStudy, match="cannot be opened"):
        OptunaSink("nonsense://")


def test_mlflow_has_every_run_once(tmp_path, study, events, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.chdir(tmp_path)
    uri = f"sqlite:///{tmp_path}/m.db"
    few = [event for event in events if event.run.trial in (0, 5)]
    cut = next(i for i, event in enumerate(few) if isinstance(event, Finished))
    build = load("sinks", "mlflow")
    build(uri).update(record(few[: cut - 2], study))
    assert build(uri).update(record(few, study)) == 4
    assert build(uri).update(record(few, study)) == 0
    client = mlflow.MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("cart")
    runs = {run.data.tags["hyperpilot.run"]: run for run in client.search_runs([experiment.experiment_id])}
    kept = record(few, study).history.runs
    assert runs.keys() == {f"{key.trial}/{key.seed}" for key in kept}
    assert runs["5/5"].info.status == "FAILED" and runs["0/0"].info.status == "FINISHED"
    history = client.get_metric_history(runs["0/0"].info.run_id, "score")
    (first,) = [run for run in kept.values() if run.id == (0, 0)]
    assert [(m.step, m.value) for m in history] == [(r.step, pytest.approx(r.score)) for r in first.reports]
    assert float(runs["0/0"].data.params["learning_rate"]) == first.config["learning_rate"]
    with pytest.raises(InvalidStudy, match="another experiment"):
        build(uri).update(record(few, study.model_copy(update={"seed": 7})))


def test_wandb_is_told_everything_once(tmp_path, study, events, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    few = [event for event in events if event.run.trial == 5]
    build = load("sinks", "wandb")
    first = build("cart", None, tmp_path)
    assert first.update(record(few[:3], study)) == 1  # it still runs
    assert first.update(record(few, study)) == 1
    first.close()
    again = build("cart", None, tmp_path)
    assert again.update(record(few, study)) == 0
    again.close()
    (folder,) = (tmp_path / "wandb-mirror" / "wandb").glob("offline-run-*")
    assert list(folder.glob("*.wandb"))
    (ledger,) = (tmp_path / "wandb-mirror").glob("*.json")
    assert json.loads(ledger.read_text()) == {"5/5": {"step": 500, "state": "failed"}}


def test_the_command_mirrors_and_says_what_is_missing(tmp_path, study, events):
    folder = reported.written(tmp_path / "cart", study, events, ended=False)
    url = f"sqlite:///{tmp_path}/o.db"
    assert call("export", folder, "--format", "optuna", url).startswith("15 trainings new")
    assert call("export", folder, "--format", "optuna", url).startswith("0 trainings new")
    with pytest.raises(InvalidStudy, match="where to"):
        call("export", folder, "--format", "optuna")
    with pytest.raises(InvalidStudy, match="not a mirror"):
        call("export", folder, url)


def test_live_ends_with_the_study(tmp_path, study):
    events = reported.told(study, trials=5, tested=1, running=False, diverged=None)
    folder = reported.written(tmp_path / "cart", study, events, ended=True)
    url = f"sqlite:///{tmp_path}/o.db"
    assert "new or changed" in call("export", folder, "--format", "optuna", url, "--live")


@pytest.mark.parametrize("package", ["optuna", "mlflow", "wandb"])
def test_without_its_extra_a_mirror_says_what_to_install(package):
    error = missing_extra(ModuleNotFoundError(name=f"{package}.sub"))
    assert isinstance(error, MissingExtra) and f"hyperpilot-rl[{package}]" in error.mend


def test_the_package_for_optunahub_is_loaded_as_optunahub_loads_it(monkeypatch):
    optunahub = pytest.importorskip("optunahub")
    module = optunahub.load_local_module("samplers/hyperpilot", registry_root=str(HUB))
    assert module.HyperPilotSampler(seed=0) and module.HyperPilotPruner()
    head = (HUB / "samplers" / "hyperpilot" / "README.md").read_text().split("---")[1]
    import yaml

    about = yaml.safe_load(head)
    assert about.keys() == {"author", "title", "description", "tags", "optuna_versions", "license"}
    assert "sampler" in about["tags"] and about["license"] == "MIT License"
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    runpy.run_path(str(HUB / "samplers" / "hyperpilot" / "example.py"), run_name="__main__")
