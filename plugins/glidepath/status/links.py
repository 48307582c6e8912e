"""Where else a release can be looked at: Grafana, with its time, service and versions set."""

from __future__ import annotations

import os
from urllib.parse import urlencode

from glidepath.status.form import Status

GRAFANA = "GLIDEPATH_GRAFANA_URL"
# The dashboard's own `uid` (`include/dashboards/ab-testing.json`).
DASHBOARD = "glidepath-ab-testing"
# So much before and after a release is shown as well, seconds.
AROUND_S = 300.0


def grafana(status: Status) -> str:
    """The dashboard of a release's versions over its time; empty where nobody said where Grafana is.

    GLIDEPATH_GRAFANA_URL says so: the address that a browser reaches it by.
    """
    base = os.environ.get(GRAFANA, "").rstrip("/")
    if not base.startswith(("http://", "https://")):
        return ""
    identity = status.identity
    until = "now" if identity.ended is None else f"{1000 * (identity.ended + AROUND_S):.0f}"
    query = {
        "var-namespace": identity.namespace,
        "var-service": identity.service,
        "var-version": [identity.stable, identity.canary],
        "from": f"{1000 * (identity.started - AROUND_S):.0f}",
        "to": until,
    }
    return f"{base}/d/{DASHBOARD}?{urlencode(query, doseq=True)}"
