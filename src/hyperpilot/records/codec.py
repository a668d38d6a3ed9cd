"""Events and jobs as JSON objects, for the stores and for the pipe between controller and workers."""

from __future__ import annotations

from typing import Any

from hyperpilot.records.events import Event, Failed, Finished, Report, Restarted, Submitted
from hyperpilot.records.values import Checkpoint, Job, RunId, Stage

_KINDS = {kind.__name__.lower(): kind for kind in (Submitted, Report, Restarted, Finished, Failed)}


def job_to_json(job: Job) -> dict[str, Any]:
    """A job as a JSON object."""
    earlier = {"earlier": [[until, dict(config)] for until, config in job.earlier]} if job.earlier else {}
    return {
        "trial": job.trial,
        "config": dict(job.config),
        "seed": job.seed,
        "until": job.until,
        "horizon": job.horizon,
        "parent": None if job.parent is None else [*job.parent.run, job.parent.step],
        "phase": job.phase,
        **earlier,
    }


def job_from_json(body: dict[str, Any]) -> Job:
    """The job that `job_to_json` wrote."""
    parent = body["parent"]
    earlier = tuple(Stage(until, config) for until, config in body.get("earlier", ()))
    return Job(**{**body, "parent": parent and Checkpoint(RunId(*parent[:2]), parent[2]), "earlier": earlier})


def to_json(event: Event) -> dict[str, Any]:
    """An event as a JSON object with its kind as `event`."""
    name = {"event": type(event).__name__.lower()}
    if isinstance(event, Submitted):
        return {**name, "job": job_to_json(event.job), "at": event.at}
    fields = {slot: getattr(event, slot) for slot in event.__slots__}
    if isinstance(event, Report):
        fields["metrics"] = dict(event.metrics)
    return {**name, **fields, "run": list(event.run)}


def from_json(body: dict[str, Any]) -> Event:
    """The event that `to_json` wrote.

    Raises:
        ValueError: the kind is unknown; the log was written by a newer version.
    """
    fields = dict(body)
    kind = fields.pop("event")
    if kind not in _KINDS:
        raise ValueError(f"unknown kind of event {kind!r}; this study was written by a newer version")
    if kind == "submitted":
        return Submitted(job_from_json(fields["job"]), fields["at"])
    event: Event = _KINDS[kind](**{**fields, "run": RunId(*fields["run"])})
    return event
