"""Chromium without a window, driven by its own protocol: https://chromedevtools.github.io/devtools-protocol."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome")
# An element is no value that can be handed over: then it is just true.
WAITED = """(async () => {
  for (let n = 0; n < TIMES; n += 1) {
    try {
      const value = await (SCRIPT);
      if (value) return typeof value === "object" ? true : value;
    } catch {}
    await new Promise((go) => setTimeout(go, 50));
  }
})()"""


def program() -> str | None:
    """Where Chromium is: CHROMIUM, else on the PATH; None when it is nowhere."""
    return os.environ.get("CHROMIUM") or next((found for one in NAMES if (found := shutil.which(one))), None)


class Browser:
    """One page. Ends with `close`.

    Args:
        folder: Where its profile lies.
        width, height: Of the window, pixels.
        dark: Whether the system is dark.
    """

    def __init__(self, folder: Path, width: int = 1500, height: int = 1000, dark: bool = False) -> None:
        found = program()
        assert found, "no Chromium: apt-get install chromium, or name it by CHROMIUM"
        command = [
            found, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0",
            "--remote-allow-origins=*", f"--user-data-dir={folder}", "--no-first-run", "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._count = 0
        self.events: list[dict[str, Any]] = []
        self._socket = websocket.create_connection(self._endpoint(), timeout=60)
        page = next(one for one in self._browser("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self._session = self._browser("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)

    def _endpoint(self) -> str:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if found := re.search(r"DevTools listening on (ws://\S+)", line):
                return found.group(1)
        raise RuntimeError("Chromium ended before it listened")

    def _browser(self, method: str, **params: Any) -> Any:
        return self._send({"method": method, "params": params})

    def call(self, method: str, **params: Any) -> Any:
        """One command to the page."""
        return self._send({"method": method, "params": params, "sessionId": self._session})

    def _send(self, message: dict[str, Any]) -> Any:
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, **message}))
        while True:
            told = json.loads(self._socket.recv())
            if told.get("id") == self._count:
                if "error" in told:
                    raise RuntimeError(f"{message['method']}: {told['error']}")
                return told["result"]
            self.events.append(told)

    def login(self, url: str, token: str) -> None:
        """Be the user of a token at an address."""
        self.call("Network.setCookie", name="_token", value=token, url=url)

    def open(self, url: str) -> None:
        """Go there."""
        self.call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript, which may be a promise."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"].get("exception", {}).get("description", str(answer)))
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 30) -> Any:
        """Wait until an expression is true, over navigations; its value."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                value = self.run(WAITED.replace("TIMES", f"{max(1, 20 * left):.0f}").replace("SCRIPT", script))
            except RuntimeError as error:
                if "navigated" not in str(error):
                    raise
                continue
            if value:
                return value
        raise AssertionError(f"never true: {script}; the page says: {self.run('document.body.innerText')!r}")

    def errors(self) -> list[str]:
        """What the page threw or logged as errors."""
        self.run("0")
        thrown = [
            one["params"]["exceptionDetails"] for one in self.events if one.get("method") == "Runtime.exceptionThrown"
        ]
        logged = [one["params"]["entry"] for one in self.events if one.get("method") == "Log.entryAdded"]
        texts = [one.get("exception", {}).get("description", one["text"]) for one in thrown]
        return texts + [f"{one['text']} {one.get('url', '')}" for one in logged if one["level"] == "error"]

    def picture(self, path: Path, whole: bool = True) -> None:
        """A screenshot as PNG."""
        path.write_bytes(
            base64.b64decode(self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"])
        )

    def close(self) -> None:
        """End it."""
        self._socket.close()
        self._process.terminate()
        self._process.wait(20)
