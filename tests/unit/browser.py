"""A headless Chromium that tests drive through its debugging protocol."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import websocket

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *(
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
    ),
    *("--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--use-gl=angle", "--use-angle=swiftshader"),
    *("--enable-unsafe-swiftshader", "--window-size=1400,1100"),
    "--remote-debugging-port=0",
)
TIMEOUT = 60  # s


class Page:
    """One page: what it ran, asked the network for and complained about."""

    def __init__(self, socket):
        self.socket, self.number = socket, 0
        self.complaints, self.requests = [], []
        for domain in ("Runtime", "Log", "Network", "Page"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        self.number += 1
        self.socket.send(
            json.dumps({"id": self.number, "method": method, "params": params})
        )
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                assert "error" not in message, message
                return message["result"]
            self._note(message)

    def _note(self, message):
        what, about = message.get("method"), message.get("params", {})
        if what == "Network.requestWillBeSent":
            self.requests.append(about["request"]["url"])
        elif what == "Runtime.exceptionThrown":
            self.complaints.append(about["exceptionDetails"]["text"])
        elif what == "Runtime.consoleAPICalled" and about["type"] == "error":
            self.complaints.append(str(about["args"]))
        elif what == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.complaints.append(about["entry"]["text"])

    def evaluate(self, expression):
        done = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, condition):
        end = time.monotonic() + TIMEOUT
        while not self.evaluate(condition):
            assert time.monotonic() < end, f"{condition} stays false"
            time.sleep(0.1)

    def drag(self, start, stop):
        for kind, (x, y) in (
            ("mouseMoved", start),
            ("mousePressed", start),
            ("mouseMoved", ((start[0] + stop[0]) / 2, (start[1] + stop[1]) / 2)),
            ("mouseMoved", stop),
            ("mouseReleased", stop),
        ):
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left",
                buttons=0 if kind == "mouseReleased" else 1,
                clickCount=1,
            )
            time.sleep(0.1)

    def screenshot(self):
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])


def executable():
    """Return the browser; without one, skip, but fail in continuous integration."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        reason = f"no browser: none of {', '.join(NAMES)} is installed"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; .ci/run installs chromium where it can")
        pytest.skip(f"{reason}; install chromium to run this test")
    return found


@contextlib.contextmanager
def opened(path, profile):
    """Open a file in a new browser whose profile is a fresh folder."""
    command = (executable(), *FLAGS, f"--user-data-dir={profile}", "about:blank")
    # a thread of the browser may outlive its first process, and needs no pipe
    with (profile.parent / "browser.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        socket = websocket.create_connection(
            _address(profile / "DevToolsActivePort"),
            timeout=TIMEOUT,
            suppress_origin=True,
        )
        with contextlib.closing(socket):
            page = Page(socket)
            page.call("Page.navigate", url=Path(path).as_uri())
            page.wait("document.readyState === 'complete'")
            yield page
    finally:
        process.terminate()
        process.wait(TIMEOUT)


def _address(port_file):
    import urllib.request

    end = time.monotonic() + TIMEOUT
    while not (port_file.exists() and port_file.read_text().count("\n")):
        assert time.monotonic() < end, "the browser does not start"
        time.sleep(0.1)
    port = port_file.read_text().splitlines()[0]
    local = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with local.open(f"http://127.0.0.1:{port}/json/list", timeout=TIMEOUT) as answer:
        pages = json.load(answer)
    return next(p["webSocketDebuggerUrl"] for p in pages if p["type"] == "page")
