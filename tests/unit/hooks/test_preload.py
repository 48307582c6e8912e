"""What is loaded before tasks are forked, and by whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
SETTINGS = "import sys; sys.argv = ['airflow', {process!r}]; import airflow_local_settings; "
HEAVY = "('kubernetes', 'kubernetes_asyncio', 'numpy', 'prometheus_api_client', 'pydantic', 'sqlalchemy', 'glidepath')"
LOADED = f"{{name.split('.')[0] for name in sys.modules}} & set({HEAVY})"


def told(code: str) -> str:
    """What a Python of its own prints."""
    done = subprocess.run([sys.executable, "-c", code], cwd=PLUGINS, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("process", "loads"), [("scheduler", True), ("triggerer", True), ("api-server", False), ("dag-processor", False)]
)
def test_only_who_runs_tasks_loads_what_they_need(process: str, loads: bool) -> None:
    seen = told(SETTINGS.format(process=process) + f"print(len({LOADED}), 'airflow' in sys.modules)")
    assert seen == ("7 False" if loads else "0 False")


def test_a_task_then_loads_nothing_more_that_takes_time() -> None:
    code = SETTINGS.format(process="scheduler") + (
        "import airflow.sdk; before = set(sys.modules); "
        "import glidepath.operators.tasks, glidepath.hooks.ports, glidepath.claim, glidepath.evidence; "
        "import glidepath.release.tasks.plan, glidepath.release.tasks.finish, glidepath.release.run; "
        "from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook; "
        "new = {name for name in set(sys.modules) - before if name.split('.')[0] not in ('airflow', 'glidepath')}; "
        "print(sorted(new))"
    )
    new = ast.literal_eval(told(code))
    assert len(new) < 40, new
    assert not [one for one in new if one.startswith(("kubernetes.client", "kubernetes_asyncio.client", "numpy"))]
