"""What a report is drawn from, on records whose answers are known; its size, its words, and how it is served."""

import http.client
import json
import threading
from pathlib import Path

import numpy as np
import pytest
from reported import START, settings, told, written

import hyperpilot as hp
from hyperpilot.cli import app
from hyperpilot.errors import InvalidStudy
from hyperpilot.records import Checkpoint, Failed, Finished, History, Job, Report, Restarted, RunId, Submitted
from hyperpilot.reports import evidence, frames
from hyperpilot.reports.beliefs import beliefs, thinned, without
from hyperpilot.reports.catalogue import SHOWN, frames_of
from hyperpilot.reports.live import Feed, server
from hyperpilot.reports.page import contents, render
from hyperpilot.reports.painters import PAINTERS
from hyperpilot.reports.record import Record, read
from hyperpilot.reports.summary import summary
from hyperpilot.reports.timeline import timeline

STUDY = settings()
CONFIG = STUDY.build_space().default()


def record(events, study=STUDY, state="stopped"):
    return Record("study", study, tuple(events), History().extend(events), state)


def training(trial, scores, until=1000, seed=None, phase="search", pace=0.01):
    """The events of one training, evaluated evenly."""
    job = Job(trial, CONFIG, trial if seed is None else seed, until, 1000, None, phase)
    steps = np.linspace(0, until, len(scores) + 1)[1:]
    reports = [Report(job.run, int(step), score, {}, step * pace) for step, score in zip(steps, scores, strict=True)]
    return [Submitted(job), *reports, Finished(job.run)]


@pytest.fixture(scope="module")
def whole():
    return record(told(STUDY, running=False), state="finished")


@pytest.fixture(scope="module")
def believed(whole):
    return beliefs(whole)


def test_the_history_counts_steps_once_and_knows_who_led():
    found = frames.progress(record([*training(0, [1.0, 2.0]), *training(1, [5.0, 7.0])]))
    assert found["trial"] == [0, 1] and found["spent"] == [1000, 2000]
    assert found["score"] == [2.0, 7.0]  # the evaluation at a half belongs to the first half
    lead = dict(
        zip(found["lead"]["spent"], zip(found["lead"]["trial"], found["lead"]["score"], strict=True), strict=True)
    )
    assert lead[1000] == (0, 2.0) and lead[1500] == (1, 5.0) and lead[2000] == (1, 7.0)


def test_steps_that_another_run_paid_for_are_not_counted_again():
    first = Job(0, CONFIG, 0, 500, 1000)
    heir = Job(1, CONFIG, 1, 1000, 1000, Checkpoint(first.run, 500))
    events = [Submitted(first), first.report(1.0), Finished(first.run), Submitted(heir), heir.report(2.0)]
    assert frames.progress(record(events))["spent"] == [500, 1000]


def test_places_on_an_axis():
    space = STUDY.build_space()
    low, high = (float(text) for text in space.ranges()["learning_rate"].removesuffix(":log").split(".."))
    fine = space.grid("learning_rate", 101)
    assert frames.place(np.sqrt(low * high), fine) == pytest.approx(0.5, abs=1e-3)
    assert frames.place(high * 10, fine) == 1.0 and frames.place(low / 10, fine) == 0.0
    assert frames.place("tanh", ["tanh", "relu"]) == 0.0 and frames.place("elu", ["tanh", "relu"]) is None
    assert frames.place(3, [2, 4, 8]) == pytest.approx(0.25)


def test_without_a_model_the_hyperparameter_that_goes_with_the_score_comes_first():
    space, events = STUDY.build_space(), []
    for trial, config in enumerate(space.sample(30, np.random.default_rng(0))):
        job = Job(trial, config, trial, 1000, 1000)
        events += [Submitted(job), job.report(float(np.log(config["learning_rate"]))), Finished(job.run)]
    found = frames.parallel(record(events))
    assert found["axes"][0]["name"] == "learning_rate" and len(found["axes"]) == len(space.names)
    assert np.corrcoef(found["places"]["learning_rate"], found["score"])[0, 1] > 0.999


def test_rungs_that_agree_and_rungs_that_do_not():
    scores = np.random.default_rng(0).standard_normal((12, 10))
    scores[:, 9] = scores[:, 8]  # the last two evaluations
    found = frames.rungs(record([event for trial, row in enumerate(scores) for event in training(trial, row)]))
    known = dict(zip(zip(found["early"], found["late"], strict=True), found["value"], strict=True))
    assert len(known) == 45 and set(found["n"]) == {12}
    assert known[900, 1000] > known[100, 1000] and all(-1 <= value <= 1 for value in known.values())


def test_tuning_against_test_and_the_spread_of_seeds():
    events = [*training(0, [1.0]), *training(1, [9.0]), *training(1, [3.0], seed=77)]
    for seed, score in ((100, 4.0), (101, 5.0), (102, 9.0)):
        events += training(1, [score], seed=seed, phase="test")
    found = frames.transfer(record(events))
    assert (found["trial"], found["tuning"], found["iqm"]) == ([1], [6.0], [6.0]) and found["scores"] == [
        [4.0, 5.0, 9.0]
    ]
    spread = frames.seeds(record(events))
    assert spread["trial"] == [1] * 5 and spread["score"] == [4.0, 5.0, 9.0, 9.0, 3.0]
    assert spread["phase"] == ["test"] * 3 + ["search"] * 2


def test_the_front_is_what_nothing_beats_in_both():
    rows = {0: (1.0, 0.01), 1: (5.0, 0.02), 2: (4.0, 0.03), 3: (6.0, 0.05)}
    events = [event for trial, (score, pace) in rows.items() for event in training(trial, [score], pace=pace)]
    found = evidence.front(record(events))
    assert dict(zip(found["trial"], found["best"], strict=True)) == {0: True, 1: True, 2: False, 3: True}
    assert found["values"][1] == pytest.approx([10, 20, 30, 50]) and found["less"] == [False, True]


def test_a_study_of_several_goals_shows_their_front_and_not_time():
    study = settings(objective="return,-episode_length,cvar")
    events = []
    for trial, (score, length, cvar) in enumerate([(5.0, 9.0, 1.0), (4.0, 5.0, 1.0), (3.0, 9.0, 0.0), (1.0, 9.0, 4.0)]):
        job = Job(trial, CONFIG, trial, 1000, 1000)
        metrics = {"episode_length": length, "cvar": cvar}
        events += [Submitted(job), Report(job.run, 1000, score, metrics, 1.0), Finished(job.run)]
    found = evidence.front(record(events, study))
    assert found["names"] == ["return", "episode_length", "cvar"] and found["less"] == [False, True, False]
    assert found["values"] == [[5.0, 4.0, 3.0, 1.0], [9.0, 5.0, 9.0, 9.0], [1.0, 1.0, 0.0, 4.0]]
    assert found["best"] == [True, True, False, True] and found["hypervolume"] == 12.0
    assert PAINTERS["front"]({"front": found}).axes[2].get_xlabel() == "cvar"


def test_published_scores_come_with_the_reasons_why_they_are_not_the_same(whole):
    found = evidence.published(whole)
    assert len(found["name"]) > 2 and found["name"][0].startswith("ppo") and all(found["numbers"])
    assert any("single training" in note or "spread" in note for note in found["notes"])
    said = {each.heading: " ".join(each.sentences) for each in summary(whole)}["Beside published scores"]
    assert "of the way from a random agent" in said and "None of these comparisons is between equals" in said
    elsewhere = record(whole.events, whole.study.model_copy(update={"env": "Nowhere-v0"}))
    assert evidence.published(elsewhere).startswith("None of the")


def test_exploration_is_drawn_for_the_leaders_and_the_default(whole):
    found = evidence.exploration(whole)
    assert 0 in found["trial"] and found["trial"][0] == whole.history.leaders[0].id.trial
    assert found["entropy"][0][0] > found["entropy"][0][-1] and found["coverage"][0][-1] > found["coverage"][0][0]


def population():
    """Two families: trial 2 goes on from trial 0 at 400, 3 from 2 at 700, and 4 from 1 at 400."""

    def job(trial, until, parent=None):
        above = None if parent is None else Checkpoint(RunId(parent[0], parent[0]), parent[1])
        return Job(trial, CONFIG, trial, until, 1000, above)

    parts = [(job(0, 400), 1.0), (job(1, 400), 2.0), (job(2, 700, (0, 400)), 3.0), (job(4, 1000, (1, 400)), 4.0)]
    parts += [(job(3, 1000, (2, 700)), 9.0), (job(1, 1000, (1, 400)), 5.0)]
    return [event for each, score in parts for event in (Submitted(each), each.report(score), Finished(each.run))]


def test_the_lineage_of_a_population():
    found = evidence.lineage(record(population()))
    assert found["trial"] == [0, 2, 3, 1, 4]  # families one after the other
    assert found["start"] == [0, 400, 700, 0, 400] and found["end"] == [400, 700, 1000, 1000, 1000]
    assert set(zip(found["above"], found["below"], found["step"], strict=True)) == {
        (0, 1, 400),
        (1, 2, 700),
        (3, 4, 400),
    }
    assert found["chosen"] == [True, True, True, False, False] and found["lines"]["3"] == [2, 1, 0]
    shown = {figure["name"] for figure in contents(record(population()), without("no"))["figures"]}
    assert "lineage" in shown
    assert "lineage" not in {each["name"] for each in contents(record(training(0, [1.0])), without("no"))["figures"]}
    assert PAINTERS["lineage"]({"lineage": found}).axes


def test_the_budget_adds_up(whole):
    found = frames.budget(whole)
    used = dict(zip(found["use"], found["steps"], strict=True))
    assert sum(used.values()) == STUDY.total_steps and used["test"] == 6000 and used["further seeds"] == 1000
    assert used["failed trainings"] == 500
    assert used["not spent"] == STUDY.total_steps - whole.history.steps_used()


def test_lanes_hold_one_job_at_a_time_and_pauses_are_cut_out():
    jobs = [Job(trial, CONFIG, trial, 1000, 1000) for trial in range(3)]
    at = START
    events = [Submitted(job, at) for job in jobs]  # the third waits for a worker
    events += [Report(jobs[0].run, 1000, 1.0, {}, 10.0), Finished(jobs[0].run, at + 10)]
    events += [Report(jobs[1].run, 1000, 1.0, {}, 20.0), Finished(jobs[1].run, at + 20)]
    events += [Report(jobs[2].run, 1000, 1.0, {}, 15.0), Finished(jobs[2].run, at + 25)]
    later = Job(3, CONFIG, 3, 1000, 1000)
    events += [Submitted(later, at + 1000), Failed(later.run, "killed", "", 10, at + 1005)]
    events += [Restarted(later.run, at + 1006), Report(later.run, 1000, 1.0, {}, 4.0), Finished(later.run, at + 1010)]
    found = timeline(record(events))
    rows = sorted(zip(found["trial"], found["start"], found["end"], found["ending"], strict=True))
    assert rows[:3] == [(0, 0, 10, "finished"), (1, 0, 20, "finished"), (2, 10, 25, "finished")]
    assert rows[3:] == [(3, 25, 30, "killed"), (3, 31, 35, "finished")] and found["pauses"] == [25]
    for lane in set(found["lane"]):
        mine = sorted(
            (a, b) for a, b, on in zip(found["start"], found["end"], found["lane"], strict=True) if on == lane
        )
        assert all(end <= start for (_, end), (start, _) in zip(mine, mine[1:], strict=False))


def test_what_has_no_data_says_why():
    empty = frames_of(record([]), beliefs(record([])))
    assert all(isinstance(frame, str) and frame for frame in empty.values())
    assert all(shown.missing(empty) for shown in SHOWN)
    one = record(training(0, [1.0, 2.0]))
    shown = {each.name for each in SHOWN if not each.missing(frames_of(one, beliefs(one)))}
    assert shown == {"progress", "curves", "budget", "published"}
    for each in (record([]), one, record(training(0, [])[:1] + [Failed(Job(0, CONFIG, 0, 1000, 1000).run, "crashed")])):
        assert render(contents(each, beliefs(each)))


def test_forecasts_are_checked_against_scores_that_came_later(whole, believed):
    found = believed.frames["calibration"]
    assert all(0 <= each <= 1 for each in found["pit"]) and found["covered"] == sorted(found["covered"])
    assert {True, False} == set(found["begun"])
    share = np.mean(np.abs(np.array(found["pit"]) - 0.5) <= 0.25)
    assert found["covered"][4] == pytest.approx(share)


def test_the_model_knows_what_the_scores_were_made_of():
    believed = beliefs(record(told(STUDY, diverged=None)))
    assert next(iter(believed.shares.main)) == "learning_rate"
    best = believed.frames["slices"]["of"]["learning_rate"]
    assert (
        best["mean"][np.argmax(best["mean"])] > best["mean"][0] and best["low"][3] <= best["mean"][3] <= best["high"][3]
    )


def test_a_long_history_is_thinned_evenly(whole):
    short = thinned(whole.history, 60)
    assert sum(len(run.reports) for run in short.search) <= 75  # two of each at least
    for id, run in short.runs.items():
        full = whole.history.runs[id].reports
        assert not full or (run.reports[-1] == full[-1] and all(each in full for each in run.reports))
    assert thinned(whole.history, 10_000) is whole.history


def test_the_words_say_what_is_not_established(whole, believed):
    said = {each.heading: " ".join(each.sentences) for each in summary(whole, believed.shares)}
    assert "Handed over: trial 4" in said["What came of it"] and "(interquartile mean" in said["What came of it"]
    assert "Failures: 1 diverged" in said["What the budget went to"] and "learning_rate" in said["What matters most"]
    assert "from 3 seeds a bootstrap makes it too narrow" in said["What is not established"]
    assert "of 3 pairs; the evidence is" in said["What is not established"] and "CPU" in said["What the budget went to"]
    unfinished = {each.heading: " ".join(each.sentences) for each in summary(record(whole.events))}
    assert "has not ended" in unfinished["What is not established"] and "Ahead: trial" in unfinished["What came of it"]


def test_a_thousand_trials_stay_small():
    study = settings(horizon=100_000)
    rng, events = np.random.default_rng(0), []
    for trial, config in enumerate(study.build_space().sample(1000, rng)):
        job = Job(trial, config, trial, 100_000, 100_000)
        reports = [Report(job.run, 1000 * k, float(rng.normal(k, 5)), {}, float(k)) for k in range(1, 101)]
        events += [Submitted(job, START + trial), *reports, Finished(job.run, START + trial + 50)]
    content = contents(record(events, study), without("not asked for"))
    assert sum(map(len, content["frames"]["curves"]["scores"])) == 100_000
    assert len(render(content).encode()) < 10_000_000


def test_data_cannot_end_its_script(whole):
    content = contents(whole, without("not asked for"))
    page = render({**content, "title": "</script><script>alert(1)</script>"})
    assert "</script><script>alert" not in page and "&lt;/script&gt;" in page
    block = page.split('id="data">')[1].split("</script>")[0]
    assert json.loads(block)["title"] == "</script><script>alert(1)</script>"


def test_figures_for_papers(tmp_path, whole, believed, capsys):
    from hyperpilot.reports.paper import draw, save

    assert set(PAINTERS) == {shown.name for shown in SHOWN}
    drawn = draw(whole, believed)
    assert set(drawn) == set(PAINTERS) - {"lineage"}
    first = {path.name: path.read_bytes() for path in save(drawn, tmp_path / "a", "svg")}
    again = {path.name: path.read_bytes() for path in save(draw(whole, believed), tmp_path / "b", "svg")}
    assert first == again and b"learning_rate" in first["parallel.svg"]
    folder = written(tmp_path / "s", STUDY, training(0, [1.0, 2.0]))
    app(["report", str(folder), "--figures", str(tmp_path / "pdf")], standalone_mode=False)
    assert (tmp_path / "pdf" / "curves.pdf").read_bytes().startswith(b"%PDF")
    assert not (folder / "report.html").exists() and "curves.pdf" in capsys.readouterr().out


def test_a_report_in_python(tmp_path):
    folder = written(tmp_path / "s", STUDY, told(STUDY))
    report = hp.report(folder, model=False)
    assert (
        "What was tuned" in str(report)
        and "progress" in report.figures
        and "without a model" in report.frames["slices"]
    )
    assert report.save(tmp_path / "out" / "page.html").read_text().startswith("<!doctype html>")
    with pytest.raises(InvalidStudy, match="no study"):
        hp.report(tmp_path)


def test_the_notebook_runs(tmp_path, monkeypatch, capsys):
    cells = json.loads((Path(__file__).parents[1] / "examples" / "report.ipynb").read_text())["cells"]
    written(tmp_path / "studies" / "demo", STUDY, told(STUDY))
    monkeypatch.chdir(tmp_path)
    names = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(line for line in cell["source"] if not line.startswith("%")), names)
            assert cell["outputs"] == []
    assert (tmp_path / "report.html").exists() and "s for 1,000 steps" in capsys.readouterr().out


def test_live_serves_what_is_new_to_this_machine_alone(tmp_path):
    folder, now, fits = written(tmp_path / "s", STUDY, training(0, [1.0, 2.0])), [0.0], []

    def believe(record):
        fits.append(record.history.length)
        return without("not asked for")

    feed = Feed(folder, read(folder), believe, clock=lambda: now[0])
    serving = server(feed)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    try:
        host, port = serving.server_address
        assert host == "127.0.0.1"

        def get(path, **headers):
            connection = http.client.HTTPConnection(host, port, timeout=10)
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

        assert get("/")[0] == 200
        version = json.loads(get("/data.json")[1])["version"]
        assert get(f"/data.json?have={version}") == (204, b"")
        store = STUDY.open_store(folder)
        store.append(training(1, [3.0, 4.0]))
        store.close()
        assert get(f"/data.json?have={version}")[0] == 204  # it was read a moment ago
        now[0] = 10.0
        status, body = get(f"/data.json?have={version}")
        assert status == 200 and json.loads(body)["trials"]["trial"] == [0, 1] and fits == [4, 8]
        assert get("/elsewhere")[0] == 404 and get("/", Host="evil.example")[0] == 403
    finally:
        serving.shutdown()
        serving.server_close()
