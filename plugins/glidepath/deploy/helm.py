"""One release of one chart through Helm 4: what it was given, what it would be, and how it is brought to other values.

Helm 4 applies all objects that it can, and ends with the conflicts of the rest. So a refused upgrade has changed things
and is Helm's newest revision; what is in force is the last one that is `deployed`, and all that is read here is of that.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kubernetes import client

from glidepath.deploy.added import Field, field_of, numbered, with_fields
from glidepath.deploy.charts import Chart
from glidepath.deploy.command import Command
from glidepath.deploy.integers import Integers
from glidepath.deploy.live import Live
from glidepath.deploy.manifests import Object, by_name, objects
from glidepath.deploy.numbers import Path as Place
from glidepath.deploy.numbers import exact, rounded, settings
from glidepath.deploy.overlay import Laid, changes, foreign
from glidepath.deploy.release import HelmRelease, Preview
from glidepath.errors import HelmError, PreflightError, SetupError

QUERY_TIMEOUT_S = 30
UPGRADE_TIMEOUT_S = 180
PENDING = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})
# So often an upgrade is tried whose fields somebody writes between our look and Helm's.
TRIES = 3
POSTRENDER = Path(__file__).parent / "postrender"


class Helm:
    """Runs Helm for one release of one chart.

    Args:
        chart: Where the chart is.
        release: Helm's name of the release.
        namespace: Where it is installed.
        api: The client of the cluster: Helm works on the very same one, as the same user, whatever its own environment says.
        binary: The Helm 4 binary; None looks at GLIDEPATH_HELM and then PATH.
        labels: What Helm's own secrets of the release carry, to find it by.
    """

    def __init__(
        self,
        chart: Chart,
        release: str,
        namespace: str,
        api: client.ApiClient,
        binary: str | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        self._chart, self._labels = chart, labels or {}
        self.release, self.namespace = release, namespace
        self._command, self._live = Command(api, namespace, binary), Live(api, release, namespace)
        self._integers = Integers(
            lambda revision: objects(self._manifest(revision)),
            lambda current, places: self._rendered(current.values, current, places).objects,
        )

    @property
    def chart(self) -> str:
        """Its chart, as `helm install` takes it."""
        return str(self._chart)

    def pinned(self) -> str | None:
        """See `Deploy.pinned`."""
        return self._chart.digest()

    def check(self) -> str:
        """The version of Helm, after making sure that it is a Helm 4 and the chart is there.

        Raises:
            PreflightError: No Helm, an older one, or no chart that is the pinned one.
            HelmError: The registry that has the chart did not answer.
        """
        if missing := self._command.missing():
            raise PreflightError(missing)
        try:
            self._chart.packed()
        except SetupError as error:
            raise PreflightError(str(error)) from error
        version = self._query("version", "--template", "{{.Version}}").strip()
        if not version.startswith("v4."):
            raise PreflightError(
                f"helm is {version}, expected v4: Helm 3 merges on the client and would undo a rollback of the traffic"
            )
        return version

    def status(self) -> HelmRelease | None:
        """The release with the values that its users gave, or None when it is not installed."""
        listed = json.loads(self._query("list", "--filter", f"^{self.release}$", "-o", "json") or "[]")
        # The filter is a pattern: in `shop.app` the dot stands for any letter.
        listing = next((row for row in listed if row["name"] == self.release), None)
        if listing is None:
            return None
        newest, status = int(listing["revision"]), str(listing["status"])
        revision = newest if status == "deployed" else self._last_deployed() or newest
        kept = self._query("get", "values", self.release, "--revision", str(revision), "-o", "json")
        values = json.loads(kept or "null") or {}
        if rounded(values):
            values = exact(values, self._manifest(revision))
        return HelmRelease(self.release, self.namespace, revision, status, values, newest)

    def effective_values(self) -> Mapping[str, Any]:
        """The values in force: the chart's defaults with what its users gave laid over them."""
        at = ["--revision", str(revision)] if (revision := self._last_deployed()) else []
        out = self._query("get", "values", self.release, "--all", *at, "-o", "json")
        values: Mapping[str, Any] = json.loads(out or "{}") or {}
        return values

    def upgrade(
        self, values: Mapping[str, Any], timeout_s: float = UPGRADE_TIMEOUT_S, write: int | None = None,
        added: Sequence[Field] = (),
    ) -> HelmRelease:  # fmt: skip
        """Bring the release to these values; nothing is done when it has them already.

        Args:
            values: The values.
            timeout_s: How long Helm may take, seconds.
            write: The number of this upgrade, higher than what any object carries: with it the fence lets it change what
                is held. Each further try is one higher. None for no release under way.
            added: Fields that the objects get beside what the chart renders; no reason to upgrade by themselves.

        Never forces conflicts: a field that another owner holds keeps its live value. A value that somebody writes while
        Helm is on its way makes Helm fail; it is looked at anew, `TRIES` times at most.

        Raises:
            HelmError: Helm refused or did not end within the time-out; its stderr is in the message.
            ClusterError: The API did not say what is live.
        """
        current = self.status()
        if current is not None and current.status in PENDING:
            self._unlock(current)
            current = self.status()
        if current is not None and current.status == "deployed" and current.values == values:
            return current
        laid = self._upgraded(values, current, timeout_s, write, added)
        done = self.status()
        if done is None or done.status != "deployed":
            raise HelmError(f"helm upgrade of {self.release!r} ended, but its status is {done and done.status!r}")
        return replace(done, laid=laid)

    def preview(self, values: Mapping[str, Any], added: Sequence[Field] = ()) -> Preview:
        """What an upgrade to these values would apply, and what it would leave to its owners; touches nothing."""
        current = self.status()
        seen, again = self._rendered(values, current), self._rendered(values, current)
        random = tuple(path for path, _, _ in changes(by_name(seen.objects), by_name(again.objects)))
        made = with_fields(seen.objects, added)
        return replace(seen, objects=made, laid=tuple(self._foreign(made)), random=random)

    def deployed(self) -> Preview:
        """What is deployed, as Helm keeps it, and which of its fields others own by now; empty where nothing is deployed."""
        revision = self._last_deployed() if self.status() else None
        kept = objects(self._manifest(revision)) if revision else []
        return Preview(kept, laid=tuple(self._foreign(kept)))

    def earlier(self) -> Iterator[Sequence[Object]]:
        """The objects of each revision that Helm still has, the newest first."""
        for revision in sorted((int(row["revision"]) for row in self._history()), reverse=True):
            yield objects(self._manifest(revision))

    def uninstall(self, timeout_s: float = UPGRADE_TIMEOUT_S) -> None:
        """Remove the release with all that it made; nothing is done where there is none.

        Raises:
            HelmError: Helm refused, such as for a held object, or did not end within the time-out.
        """
        args = ["uninstall", self.release, "--ignore-not-found", "--timeout", f"{int(timeout_s)}s"]
        self._command.run(args, timeout_s + 10)

    def keep(self, manifest: Mapping[str, Any], fields: Sequence[Field]) -> None:
        """See `Live.keep`."""
        self._live.keep(manifest, fields)

    def found(self, manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """A rendered object as the cluster has it; None when it is not there or may not be read."""
        return self._live.find(manifest)

    def applied(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the cluster would make of an object if Helm applied it; touches nothing.

        Raises:
            ClusterError: It would be refused.
        """
        return self._live.applied(manifest)

    def _upgraded(
        self, values: Mapping[str, Any], current: HelmRelease | None, timeout_s: float, write: int | None,
        added: Sequence[Field],
    ) -> tuple[Laid, ...]:  # fmt: skip
        """Have Helm upgrade; what was left to its owners."""
        before: tuple[Laid, ...] | None = None
        for left in reversed(range(TRIES)):
            rendered = with_fields(self._rendered(values, current).objects, added) if current else ()
            laid = tuple(self._foreign(rendered, take=True))
            number = None if write is None else write + TRIES - 1 - left
            try:
                self._apply(values, current, [*map(field_of, laid), *added, *numbered(rendered, number)], timeout_s)
                return laid
            except HelmError as error:
                if "conflict" not in str(error) or laid == before or not left:
                    raise
                before = laid
        raise AssertionError("unreachable")

    def _apply(
        self, values: Mapping[str, Any], current: HelmRelease | None, overlay: list[Field], timeout_s: float
    ) -> None:
        args = [
            "upgrade", self.release, str(self._chart.packed()), "--install", "--reset-values", "--server-side=true",
            "--history-max", "20", "--timeout", f"{int(timeout_s)}s", "-o", "json",
        ]  # fmt: skip
        if self._labels:
            args += ["--labels", ",".join(f"{key}={text}" for key, text in self._labels.items())]
        args += settings(values, self._integers.of(current))
        if not overlay:
            self._with_values(args, values, timeout_s + 10)
            return
        with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="glidepath-overlay-") as file:
            json.dump(overlay, file)
            file.flush()
            env = {"HELM_PLUGINS": str(POSTRENDER), "GLIDEPATH_PYTHON": sys.executable, "GLIDEPATH_OVERLAY": file.name}
            self._with_values([*args, "--post-renderer", "glidepath-overlay"], values, timeout_s + 10, env)

    def _foreign(self, rendered: Sequence[Object], take: bool = False) -> list[Laid]:
        """The rendered fields that differ from the live ones and that others own. With `take`, those the release needs are taken over."""
        laid: list[Laid] = []
        for manifest in rendered:
            live = self._live.find(manifest)
            theirs = foreign(manifest, live) if live else []
            if live and take and (taken := [field for field in theirs if field.taken]):
                self._live.take(manifest, live, taken)
            laid += theirs
        return laid

    def _rendered(
        self, values: Mapping[str, Any], current: HelmRelease | None, integers: frozenset[Place] | None = None
    ) -> Preview:
        """What Helm would apply, asked of Helm: with look-ups in the cluster, and what the cluster can do."""
        chosen = self._integers.of(current) if integers is None else integers
        common = [self.release, str(self._chart.packed()), "--dry-run=server", *settings(values, chosen)]
        if current is not None and current.status in PENDING:  # Helm says of an upgrade only that another is under way
            text = self._with_values(["template", *common, "--is-upgrade", "--no-hooks"], values, QUERY_TIMEOUT_S)
            return Preview(objects(text))
        args = ["upgrade", *common, "--install", "--reset-values", "-o", "json"]
        answer = json.loads(self._with_values(args, values, QUERY_TIMEOUT_S))
        return Preview(objects(answer.get("manifest") or ""), answer.get("hooks") or [])

    def _last_deployed(self) -> int | None:
        """The newest revision that is deployed; None when none is."""
        return max((int(row["revision"]) for row in self._history() if row["status"] == "deployed"), default=None)

    def _history(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = json.loads(self._query("history", self.release, "-o", "json") or "[]")
        return rows

    def _manifest(self, revision: int) -> str:
        return self._query("get", "manifest", self.release, "--revision", str(revision))

    def _unlock(self, current: HelmRelease) -> None:
        """Free a release whose upgrade was killed: its revision is pending for good, and Helm refuses every other one.

        What was deployed last is brought back, so that what the killed one made is known to Helm and goes. If that is
        refused (a field that somebody else owns) its own revision has failed, and none is pending any more.
        """
        back = ["rollback", self.release, str(current.revision), "--no-hooks", "--server-side=true", "--timeout", "60s"]
        try:
            self._command.run(back, 70)
        except HelmError:
            now = self.status()
            if now is None or now.status in PENDING:
                raise

    def _query(self, *args: str) -> str:
        return self._command.run(args, QUERY_TIMEOUT_S)

    def _with_values(
        self, args: Sequence[str], values: Mapping[str, Any], timeout_s: float, env: Mapping[str, str] | None = None
    ) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="glidepath-values-") as file:
            json.dump(values, file)
            file.flush()
            return self._command.run([*args, "--values", file.name], timeout_s, env)
