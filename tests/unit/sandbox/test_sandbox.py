"""The sandbox's parts that need no cluster: keys, addresses, images, certificates, refusals."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from sandbox import certs, common, host, images, network, oci
from sandbox.common import REPO, SandboxError


def command(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The command line, in an environment of just these variables."""
    given = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **env}
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments], cwd=REPO, env=given, capture_output=True, text=True, check=False
    )


class TestPlaces:
    def test_state_is_keyed_by_the_checkout_and_short_enough_for_sockets(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("GLIDEPATH_STATE", raising=False)
        here = common.state()
        monkeypatch.setattr(common, "REPO", Path("/elsewhere"))
        assert common.state() != here
        assert len(str(here / "containerd.sock.ttrpc")) < 100

    def test_both_can_be_chosen(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GLIDEPATH_STATE", "/tmp/s")
        monkeypatch.setenv("GLIDEPATH_CACHE", "/tmp/c")
        assert (common.state(), common.cache()) == (Path("/tmp/s"), Path("/tmp/c"))

    def test_a_digest_is_of_names_and_contents(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("1")
        first = common.digest(tmp_path, "x")
        assert common.digest(tmp_path, "x") == first
        (tmp_path / "__pycache__").mkdir()
        (tmp_path / "__pycache__" / "b").write_text("compiled")
        assert common.digest(tmp_path, "x") == first
        (tmp_path / "a").write_text("2")
        assert common.digest(tmp_path, "x") != first
        assert common.digest("ab", "c") != common.digest("a", "bc")


class TestCommands:
    def test_a_failure_has_the_end_of_its_words(self) -> None:
        with pytest.raises(SandboxError, match=r"failed \(3\): went wrong"):
            common.run(["sh", "-c", "echo went wrong >&2; exit 3"])
        with pytest.raises(SandboxError, match="did not end within 0"):
            common.run(["sleep", "5"], timeout_s=0.2)
        with pytest.raises(SandboxError, match="no-such-tool is not installed"):
            common.run(["no-such-tool"])

    def test_an_own_cluster_is_echoed_and_never_started(self) -> None:
        own = {"GLIDEPATH_CLUSTER": "own", "KUBECONFIG": "/k", "PROMETHEUS_URL": "http://p:9090"}
        done = command("env", **own)
        assert done.stdout.splitlines() == ["export KUBECONFIG=/k", "export PROMETHEUS_URL=http://p:9090"]
        for verb in ("up", "down"):
            assert "nothing to start or end" in command(verb, **own).stderr

    def test_an_own_cluster_must_say_where_it_is(self) -> None:
        done = command("up", GLIDEPATH_CLUSTER="own", KUBECONFIG="/k")
        assert done.returncode == 2
        assert "needs PROMETHEUS_URL" in done.stderr

    def test_without_a_cluster_it_says_how_to_start_one(self, tmp_path: Path) -> None:
        state = {"GLIDEPATH_STATE": str(tmp_path / "none")}
        for verb in ("env", "load", "logs"):
            done = command(verb, **state)
            assert done.returncode == 2
            assert "python3 -m sandbox up" in done.stderr
        assert command("status", **state).returncode == 1

    def test_an_unknown_command_lists_the_known(self) -> None:
        assert "status" in command("upp").stderr


class TestHost:
    def test_not_root_is_told_what_else_will_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.geteuid", lambda: 1000)
        with pytest.raises(SandboxError, match=r"needs root.*GLIDEPATH_CLUSTER=own"):
            host.require_root()

    def test_no_apt_is_told_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(host, "PACKAGES", {"a-package": "/no/such/file"})
        monkeypatch.setattr("shutil.which", lambda _: None)
        with pytest.raises(SandboxError, match="missing on this machine: a-package"):
            host.packages()


class TestNetwork:
    def test_slots_do_not_overlap(self) -> None:
        ends = [
            address
            for number in range(network.SLOTS)
            for address in (network.Slot(number).host, network.Slot(number).inside)
        ]
        assert len(set(ends)) == 2 * network.SLOTS

    def test_a_taken_slot_is_passed_over(self) -> None:
        first = network.choose(set(), "key")
        second = network.choose({first.host}, "key")
        assert first != second
        assert network.choose(set(), "key") == first

    def test_when_all_are_taken_it_says_so(self) -> None:
        every = {network.Slot(number).host for number in range(network.SLOTS)}
        with pytest.raises(SandboxError, match="are taken; end one"):
            network.choose(every, "key")


class TestImages:
    def test_what_is_declared_is_in_the_checkout(self) -> None:
        names = {app.name: set(app.tags) for app in images.declared()}
        assert names["model-service"] == {"v1", "v2", "v3", "v4", "v5", "v6"}
        assert {"traffic-generator", "glidepath-watchdog"} <= set(names)

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ('[a]\nentrypoint = ["x"]\n[a.tags]\nt = {}\n[a.copy]\n"no/such" = "/x"\n', "'no/such'"),
            ('[a]\nentrypiont = ["x"]\n', "entrypiont"),
        ],
    )
    def test_a_wrong_declaration_is_refused(
        self, text: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(images, "DECLARED", tmp_path / "images.toml")
        images.DECLARED.write_text(text)
        with pytest.raises(SandboxError, match=word):
            images.declared()

    def test_an_archive_keeps_shared_layers_once_and_is_the_same_each_time(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("hello")
        shared = oci.layer(tmp_path / "layer.tar", [(tmp_path / "file", "/file", 0o644)])
        made = [
            oci.Image(f"localhost/app:{tag}", [shared], oci.Config(["/file"], {"TAG": tag}, "1:1"))
            for tag in ("a", "b")
        ]
        first = oci.archive(tmp_path / "one.tar", made).read_bytes()
        assert oci.archive(tmp_path / "two.tar", made).read_bytes() == first
        with tarfile.open(tmp_path / "one.tar") as archive:
            names = archive.getnames()
            index = json.load(archive.extractfile("index.json"))  # type: ignore[arg-type]
            blobs = {name: archive.extractfile(name).read() for name in names if name.startswith("blobs/")}  # type: ignore[union-attr]
        assert len(blobs) == 1 + 2 * 2  # the layer, and a config and a manifest each
        for entry, tag in zip(index["manifests"], ("a", "b"), strict=True):
            assert entry["annotations"]["io.containerd.image.name"] == f"localhost/app:{tag}"
            manifest = json.loads(blobs["blobs/sha256/" + entry["digest"].removeprefix("sha256:")])
            config = json.loads(blobs["blobs/sha256/" + manifest["config"]["digest"].removeprefix("sha256:")])
            assert f"TAG={tag}" in config["config"]["Env"]
            assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]


class TestCertificates:
    def test_each_component_has_its_own_credential(self, tmp_path: Path) -> None:
        certs.make(tmp_path, "node", ["198.19.255.2", "127.0.0.1"])
        for name, (user, group) in certs.CLIENTS.items():
            shown = common.run(["openssl", "x509", "-in", str(tmp_path / f"{name}.crt"), "-noout", "-subject"])
            assert f"CN = {user}" in shown
            assert not group or f"O = {group}" in shown
        common.run(
            [
                "openssl",
                "verify",
                "-CAfile",
                str(tmp_path / "ca.crt"),
                "-verify_ip",
                "198.19.255.2",
                str(tmp_path / "apiserver.crt"),
            ]
        )
        masters = [name for name, (_, group) in certs.CLIENTS.items() if group == "system:masters"]
        assert masters == ["admin"]

    def test_a_kubeconfig_is_its_owners_only(self, tmp_path: Path) -> None:
        certs.make(tmp_path, "node", ["198.19.255.2"])
        target = tmp_path / "scheduler.kubeconfig"
        certs.kubeconfig(tmp_path, "scheduler", "https://198.19.255.2:6443", target)
        assert target.stat().st_mode & 0o777 == 0o600
        config = json.loads(target.read_text())
        assert config["contexts"][0]["context"] == {"cluster": "sandbox", "user": "scheduler"}
        assert config["clusters"][0]["cluster"]["server"] == "https://198.19.255.2:6443"
