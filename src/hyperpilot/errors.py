"""Everything that HyperPilotRL raises on purpose.

    HyperPilotError
    ├── InvalidSpace              a search space that cannot be built
    ├── InvalidConfiguration      a configuration that its space does not allow
    ├── InvalidStudy              options that contradict each other, a folder that holds no study
    ├── InvalidTable              recorded curves that are not in the format of a table
    ├── InvalidExperience         experience of other trainings that cannot be read or used
    ├── UnknownPlugin             no algorithm, trainer, surrogate ... of that name
    ├── MissingExtra              an optional package is not installed
    ├── EnvironmentUnavailable    an environment that cannot be made here
    ├── UnsupportedEnvironment    an environment that the algorithm cannot serve
    ├── UntrustedFile             a file that would run code on loading, of unknown origin
    └── StudyBusy                 another process is running this study

A training that fails is not an exception but a `records.Failed` event: the study goes on.
"""

from __future__ import annotations


class HyperPilotError(Exception):
    """What is wrong, and how to mend it.

    Args:
        what: the fault, naming the key or the file it is about.
        mend: what the user can do about it.
    """

    def __init__(self, what: str, mend: str = "") -> None:
        super().__init__(what, mend)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  {self.mend}" if self.mend else self.what


class InvalidSpace(HyperPilotError):
    """A search space that cannot be built."""


class InvalidConfiguration(HyperPilotError):
    """A configuration that its space does not allow."""


class InvalidStudy(HyperPilotError):
    """Options that contradict each other, or a folder that holds no study."""


class InvalidTable(HyperPilotError):
    """Recorded curves that are not in the format of a table."""


class InvalidExperience(HyperPilotError):
    """Experience of other trainings that cannot be read or used."""


class UnknownPlugin(HyperPilotError):
    """No plug-in of that kind and name."""


class MissingExtra(HyperPilotError):
    """An optional package is not installed."""


class EnvironmentUnavailable(HyperPilotError):
    """An environment that cannot be made on this machine."""


class UnsupportedEnvironment(HyperPilotError):
    """An environment that the algorithm cannot serve."""


class UntrustedFile(HyperPilotError):
    """A file that would run code when it is loaded, and whose origin is unknown."""


class StudyBusy(HyperPilotError):
    """Another process is running this study."""
