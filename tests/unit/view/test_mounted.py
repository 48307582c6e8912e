"""The plugin is light, and names files that are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from glidepath.view import mounted

STATIC = Path(mounted.__file__).parent / "static"
# What only the API server needs, and every task process would pay for.
HEAVY = ("fastapi", "sqlalchemy", "numpy", "pydantic", "kubernetes")


def test_a_task_process_that_reads_the_plugin_loads_nothing_for_it() -> None:
    script = "import sys; import glidepath.view.mounted; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & {one.split(".")[0] for one in done.stdout.split()}


def test_airflow_is_given_a_bundle_that_is_there_and_defines_each_component() -> None:
    text = (STATIC / "airflow.js").read_text()
    for one in mounted.REACT_APPS:
        assert one["bundle_url"] == "glidepath/static/airflow.js"
        assert f"globalThis.{one['name']} = " in text


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda one: one.name)
def test_every_script_imports_what_is_exported_and_loads_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text()
    for names, file in re.findall(r'import \{([^}]+)\} from "\./([\w.]+)"', text):
        exported = set(re.findall(r"export (?:async )?(?:function|const|class) (\w+)", (STATIC / file).read_text()))
        assert {name.strip() for name in names.split(",")} <= exported, file
    assert set(re.findall(r"https?://[\w./]+", text)) <= {"http://www.w3.org/2000/svg"}
    assert "innerHTML" not in text, "text goes in as text"
