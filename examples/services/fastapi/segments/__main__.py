"""Run the service under several workers: python3 -m segments."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import uvicorn


def main() -> None:
    """Serve until SIGTERM. Workers share their metrics in a folder, which a container that starts again finds empty."""
    shared = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    shutil.rmtree(shared, ignore_errors=True)
    shared.mkdir(parents=True)
    workers = int(os.environ.get("WORKERS", "2"))
    uvicorn.run("segments.app:app", host="0.0.0.0", port=8000, workers=workers, access_log=False)


if __name__ == "__main__":
    main()
