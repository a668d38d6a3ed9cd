"""Every store keeps the same promises, SQLite and a real PostgreSQL server alike."""

import json
import subprocess
import sys
import threading
import uuid

import pytest
import sqlalchemy as sa
from calling import call
from filelock import FileLock
from test_records import EVENTS

from hyperpilot.api import resume as resume_study
from hyperpilot.errors import InvalidStudy, MissingExtra, StudyBusy
from hyperpilot.runtime.study import Study
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.stores.sql import SqlStore, checked_url

DATABASES = ["sqlite", "postgresql"]


@pytest.fixture(params=DATABASES)
def url(request, tmp_path):
    """An empty database: a file, or a schema of its own on the server."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'log.db'}"
        return
    server = request.getfixturevalue("postgres_url")
    schema = f"hyperpilot_{uuid.uuid4().hex}"
    execute(server, f"CREATE SCHEMA {schema}")
    yield f"{server}{'&' if '?' in server else '?'}options=-csearch_path%3D{schema}&application_name={schema}"
    execute(server, f"DROP SCHEMA {schema} CASCADE")


def execute(url, text, **values):
    engine = sa.create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        result = connection.execute(sa.text(text), values)
        rows = list(result) if result.returns_rows else []
    engine.dispose()
    return rows


@pytest.fixture
def opened(url):
    """Opens stores, and closes them at the end."""
    stores = []

    def open_(name="a"):
        stores.append(SqlStore(url, name))
        return stores[-1]

    yield open_
    for store in stores:
        store.close()


def check_order(store):
    store.append(EVENTS[:3])
    store.append(())
    store.append(EVENTS[3:])
    assert list(store.read()) == EVENTS
    assert list(store.read(since=5)) == EVENTS[5:]


def test_events_come_back_in_order_from_memory():
    check_order(MemoryStore())


def test_events_come_back_in_order_from_a_database(opened):
    check_order(opened())


def test_many_events_are_one_append(opened):
    store, late = opened(), opened()
    store.append(EVENTS * 60)
    assert list(store.read()) == EVENTS * 60
    assert len(EVENTS * 60) > 2 * 200
    with pytest.raises(StudyBusy):
        late.append(EVENTS * 60)
    assert len(store.read()) == len(EVENTS * 60)


def test_studies_share_a_database_without_mixing_and_survive_closing(opened):
    for name, events in (("a", EVENTS), ("b", EVENTS[:1])):
        store = opened(name)
        store.append(events)
        store.close()
    again = opened()
    again.append(EVENTS[:1])
    assert list(again.read()) == [*EVENTS, EVENTS[0]]


def test_a_second_controller_cannot_mix_its_events_in(opened):
    first, second = opened(), opened()
    first.append(EVENTS[:2])
    with pytest.raises(StudyBusy, match="'a'"):
        second.append(EVENTS * 5)
    assert list(first.read()) == EVENTS[:2]  # all of an append or none of it
    first.append(EVENTS[2:4])
    with pytest.raises(StudyBusy):
        second.append(EVENTS[:1])  # nor can it later
    assert list(second.read()) == EVENTS[:4]


def test_controllers_that_write_in_the_same_instant_leave_one_history(opened):
    stores, said = [opened() for _ in range(4)], []
    start = threading.Barrier(len(stores))

    def write(i):
        start.wait()
        try:
            stores[i].append(EVENTS[i : i + 3])
            said.append(i)
        except StudyBusy:
            pass

    in_threads(write, len(stores))
    assert len(said) == 1
    assert list(opened().read()) == EVENTS[said[0] : said[0] + 3]


def test_studies_that_make_the_table_in_the_same_instant_all_open(url):
    start, said = threading.Barrier(4), []

    def open_(i):
        start.wait()
        store = SqlStore(url, f"study {i}")
        store.append(EVENTS[:1])
        said.append(list(store.read()))
        store.close()

    in_threads(open_, 4)
    assert said == [EVENTS[:1]] * 4


def in_threads(work, count):
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_database_that_goes_away_is_named(opened, url):
    store = opened()
    execute(url, "DROP TABLE hyperpilot_events")
    for use in (lambda: store.append(EVENTS[:1]), store.read):
        with pytest.raises(InvalidStudy, match="hyperpilot_events"):
            use()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_connection_that_the_server_has_ended_is_made_anew(opened, url):
    store = opened()
    store.append(EVENTS[:1])
    others = "FROM pg_stat_activity WHERE application_name = :name AND pid <> pg_backend_pid()"
    end = f"SELECT pg_terminate_backend(pid, 10000) {others}"
    assert execute(url, end, name=url.rpartition("=")[2]) == [(True,)]
    store.append(EVENTS[1:2])
    assert list(store.read()) == EVENTS[:2]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_readers_see_whole_appends_while_a_controller_writes(opened, url):
    rounds, readers, seen = 40, 3, []
    store, done = opened(), threading.Event()

    def look(i):
        mine, known = SqlStore(url, "a"), []
        while True:
            last = done.is_set()
            known += mine.read(len(known))
            assert len(known) % len(EVENTS) == 0 and known == EVENTS * (len(known) // len(EVENTS))
            if last:
                break
        seen.append(len(known))
        mine.close()

    threads = [threading.Thread(target=look, args=(i,)) for i in range(readers)]
    for thread in threads:
        thread.start()
    for _ in range(rounds):
        store.append(EVENTS)
    done.set()
    for thread in threads:
        thread.join()
    assert seen == [rounds * len(EVENTS)] * readers


# Reports twice, and between the two waits until it may go on.
_WAITING = """
import json, os, pathlib, sys, time
for step in json.load(sys.stdin)["evaluate_at"]:
    print(json.dumps({"step": step, "score": step}))
    while not pathlib.Path(sys.argv[1]).exists():
        time.sleep(0.02)
"""


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_study_on_postgresql_is_looked_at_while_it_runs_and_has_one_controller(url, tmp_path):
    (tmp_path / "train.py").write_text(_WAITING)
    settings = {
        "command": [sys.executable, str(tmp_path / "train.py"), str(tmp_path / "go")],
        "space": {"x": "0.0..1.0"},
        "total_steps": 600,
        "horizon": 100,
        "strategy": "random",
        "schedule": "full",
        "evaluations": 2,
        "test_share": 0,
        "storage": url,
    }
    study = tmp_path / "study"
    Study.create(**settings).write(study)
    resume = [sys.executable, "-c", "from hyperpilot.cli import main; main()", "resume", str(study), "--quiet"]
    controller = subprocess.Popen(resume)
    try:
        while not (known := json.loads(call("status", study, "--json")))["reports"]:
            assert controller.poll() is None
        assert known["state"] == "running" and known["trials"] == 1
        assert "running" in call("status", study)
        call("report", study, "--out", tmp_path / "page.html")
        assert "running" in (tmp_path / "page.html").read_text()
        other = tmp_path / "copy"  # the same study from another folder: no lock of files keeps them apart
        other.mkdir()
        (other / "study.yaml").write_bytes((study / "study.yaml").read_bytes())
        rival = Study.read(other).open_store(other)
        position = len(rival.read())
        (tmp_path / "go").touch()
        assert controller.wait(60) == 0
        with pytest.raises(StudyBusy):
            rival.append(EVENTS[:1])
        assert len(rival.read()) > position
        rival.close()
    finally:
        (tmp_path / "go").touch()
        controller.wait()
    assert json.loads(call("status", study, "--json"))["state"] == "finished"
    with pytest.raises(StudyBusy), FileLock(study / "study.lock"):
        resume_study(study)


def test_a_storage_that_cannot_be_opened_is_named():
    with pytest.raises(InvalidStudy, match="nowhere"):
        SqlStore("sqlite:////nowhere/at/all/log.db", "a")
    with pytest.raises((InvalidStudy, MissingExtra), match=r"127\.0\.0\.1|psycopg"):
        SqlStore("postgresql://someone@127.0.0.1:1/db", "a")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:secret@host/db",
        "postgresql://user:se@secret@host/db",
        "postgresql://user@host/db?password=secret",
        "postgresql://user:secret@host:port/db",
        "host=localhost password=secret",
    ],
)
def test_a_password_is_refused_and_never_shown(url):
    with pytest.raises(InvalidStudy) as caught:
        SqlStore(url, "a")
    assert "secret" not in str(caught.value) and caught.value.mend
    assert caught.value.__cause__ is None


def test_a_file_of_events_does_not_depend_on_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert checked_url("sqlite:///log.db") == f"sqlite:///{tmp_path}/log.db"
    assert checked_url("postgresql://user@host/db") == "postgresql://user@host/db"
