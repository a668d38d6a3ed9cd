"""Every store keeps the same promises."""

import pytest
from test_records import EVENTS

from hyperpilot.errors import InvalidStudy
from hyperpilot.stores.memory import MemoryStore
from hyperpilot.stores.sql import SqlStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    opened = MemoryStore() if request.param == "memory" else SqlStore(f"sqlite:///{tmp_path / 'log.db'}", "a")
    yield opened
    opened.close()


def test_events_come_back_in_order(store):
    store.append(EVENTS[:3])
    store.append(())
    store.append(EVENTS[3:])
    assert list(store.read()) == EVENTS
    assert list(store.read(since=5)) == EVENTS[5:]


def test_studies_share_a_database_without_mixing_and_survive_closing(tmp_path):
    url = f"sqlite:///{tmp_path / 'log.db'}"
    for name, events in (("a", EVENTS), ("b", EVENTS[:1])):
        store = SqlStore(url, name)
        store.append(events)
        store.close()
    again = SqlStore(url, "a")
    again.append(EVENTS[:1])
    assert list(again.read()) == [*EVENTS, EVENTS[0]]
    again.close()


def test_a_second_controller_cannot_mix_its_events_in(tmp_path):
    url = f"sqlite:///{tmp_path / 'log.db'}"
    first, second = SqlStore(url, "a"), SqlStore(url, "a")
    first.append(EVENTS[:2])
    with pytest.raises(Exception, match="UNIQUE"):
        second.append(EVENTS[:3])
    assert list(first.read()) == EVENTS[:2]  # all of an append or none of it
    first.close()
    second.close()


def test_a_storage_that_cannot_be_opened_is_named():
    with pytest.raises(InvalidStudy, match="nowhere"):
        SqlStore("sqlite:////nowhere/at/all/log.db", "a")
