"""Every error Glidepath raises. Its base says whether another try can help; `operators/base.py` goes by that.

GlidepathError
├── PermanentError            another try would meet the same
│   ├── PolicyError           the policy or the run's parameters are wrong: nothing was touched
│   ├── PreflightError        the cluster isn't what the policy expects: nothing was touched
│   ├── ClaimError
│   │   ├── ClaimHeldError    another release holds the service
│   │   ├── ReleaseFinishedError  this run's release is over already
│   │   └── ClaimLostError    our token is no longer the current one: stop writing
│   ├── NotReadyError         a version's pods were not ready in time
│   ├── NotApprovedError      a person must say that the canary gets requests, and has not
│   ├── NoReleaseError        the record has no such release
│   ├── AskedError            a person asked what can't be done, or not now
│   ├── UnsupportedRoutesError  the mesh's port can't write such routes
│   ├── OrderError            the release never took the claim that this needs
│   ├── ReplacedError         another process watches the release since: this one looks on no more
│   └── ReleaseTakenBack      the release ended on stable: what turns the run red
└── TemporaryError            another try may succeed
    ├── ClusterError          the Kubernetes API refused, or did not answer in time
    ├── SetupError            what a release relies on is not there, until a person mends it
    │   └── NoRoutesError     the object that carries the routes is gone
    ├── BusyError             the watchdog has the service, or has just had it
    ├── NotGoneError          what was removed is still there
    ├── HelmError             Helm failed; carries its stderr
    ├── TrafficDriftError     the mesh doesn't say what Glidepath last wrote
    │   └── NoWeightedRouteError  none of its entries can take weights
    ├── StaleWriteError       what a write was decided on is no longer so: it was not made
    ├── EvidenceError         Prometheus did not answer, or not with evidence
    ├── RecordError           the record database refused
    │   └── NoRecordError     what names it names no database: a terminal waits for none
    ├── ServerError           Airflow's API refused or did not answer, from a terminal
    │   └── LostError         it did not answer: what was asked may have been done
    ├── MessageError          a message was not taken: a line in the log and the journal, nothing else
    └── HandoverError         whoever owns the service's values refused a promotion, or did not answer
"""

from __future__ import annotations


class GlidepathError(Exception):
    """Base of all errors: says what was given, what was expected, what to do."""


class PermanentError(GlidepathError):
    """Another try would meet the same: the task that raises it fails at once."""


class TemporaryError(GlidepathError):
    """Another try may succeed: the task that raises it is tried again, as often as the DAG says."""


class PolicyError(PermanentError):
    """The policy file or a run's parameters are not valid. Nothing has been touched."""


class PreflightError(PermanentError):
    """The cluster is not in the state a release can start from. Nothing has been touched."""


class ClaimError(PermanentError):
    """The claim on a service could not be taken or kept."""


class ClaimHeldError(ClaimError):
    """Another release holds the service."""


class ReleaseFinishedError(ClaimError):
    """This run's release is over already; the cluster says so."""


class ClaimLostError(ClaimError):
    """The claim's token is not the current one any more; its holder must stop writing."""


class ClusterError(TemporaryError):
    """The Kubernetes API refused a call or did not answer in time.

    Attributes:
        status: The HTTP status; 0 when there was no answer.
    """

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class NotReadyError(PermanentError):
    """A version's pods were not ready in time: its own fault as far as can be seen, so it is not tried again."""


class NotApprovedError(PermanentError):
    """The policy asks a person before the canary gets requests, and nobody has said that it does."""


class NoReleaseError(PermanentError):
    """The record has no such release."""


class AskedError(PermanentError):
    """A person asked what can't be done, or not now, or gave no reason. Nothing was done."""


class UnsupportedRoutesError(PermanentError):
    """The mesh's port can't write such routes: nothing was written."""


class OrderError(PermanentError):
    """The release never took the claim that this needs: the task `claim` comes first."""


class SetupError(TemporaryError):
    """What a release relies on is not there or not as expected: a connection, the chart, the routes.

    A person can mend it in mid-release. `plan` refuses it for good, as PreflightError.
    """


class NoRoutesError(SetupError):
    """The object that carries the service's routes is gone: callers reach the pods of every version."""


class BusyError(TemporaryError):
    """The watchdog is making the service safe, or has just done so: a try after it goes on from there."""


class NotGoneError(TemporaryError):
    """What was removed is still there after the time it was given."""


class HelmError(TemporaryError):
    """Helm ended with an error; its stderr is in the message."""


class TrafficDriftError(TemporaryError):
    """The routing objects differ from what Glidepath last wrote."""


class NoWeightedRouteError(TrafficDriftError):
    """No entry of the routes leads to the service's versions by weights; nothing was written."""


class StaleWriteError(TemporaryError):
    """What a write, to the routes or of a phase, was decided on is no longer so; it was not made. Another try decides anew."""


class EvidenceError(TemporaryError):
    """The source of evidence did not answer, or answered something that is no evidence."""


class RecordError(TemporaryError):
    """The record database refused a read or a write."""


class NoRecordError(RecordError):
    """What names the record is no address of a database, or its driver is not installed."""


class HandoverError(TemporaryError):
    """Whoever owns the service's values was not told which version is the stable one, as far as is known.

    Attributes:
        may_pass: Whether the same words may be answered otherwise in a moment.
        untold: Whether nobody can have heard them: the program did not start, no connection came about, or it was
            refused before it was looked at.
    """

    def __init__(self, message: str, may_pass: bool = True, untold: bool = False) -> None:
        super().__init__(message)
        self.may_pass, self.untold = may_pass, untold


class ServerError(TemporaryError):
    """Airflow's API server, asked from a terminal, refused or did not answer."""


class LostError(ServerError):
    """Airflow did not answer, or only that something failed: what was asked may have been done."""


class MessageError(TemporaryError):
    """A message was not taken, as far as is known. No release ever sees it.

    Attributes:
        may_pass: Whether the same message may be taken in a moment.
    """

    def __init__(self, message: str, may_pass: bool = True) -> None:
        super().__init__(message)
        self.may_pass = may_pass


class ReplacedError(PermanentError):
    """Another process was told to watch the release since; what this one saw was not written."""


class ReleaseTakenBack(PermanentError):
    """The release did not promote; all traffic is on stable."""
