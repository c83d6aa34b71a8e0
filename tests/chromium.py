"""Chromium without a window, spoken to over two pipes by its DevTools protocol: messages are JSON, ended by a zero."""

import base64
import contextlib
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")
FOUND = os.environ.get("CHROME_BIN") or next(filter(None, map(shutil.which, NAMES)), None)
LACKING = "no Chromium on PATH, and CHROME_BIN names none"
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions")
PATIENCE = 60  # seconds
START = """import os, sys
read, write = (os.dup(int(one)) for one in sys.argv[1:3])
for end, number in (read, 3), (write, 4):  # what the browser reads from, and what it writes to
    os.dup2(end, number)
    os.set_inheritable(number, True)
os.execv(sys.argv[3], sys.argv[3:])
"""


@contextlib.contextmanager
def chromium(profile):
    """Yield a `Browser` that keeps its files in the directory `profile`."""
    (theirs, ours), (back, forth) = os.pipe(), os.pipe()
    options = [*OPTIONS, f"--user-data-dir={profile}", "--remote-debugging-pipe"]
    command = [sys.executable, "-S", "-c", START, str(theirs), str(forth), FOUND, *options]
    process = subprocess.Popen(command, pass_fds=(theirs, forth), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    os.close(theirs)
    os.close(forth)
    browser = Browser(ours, back)
    try:
        yield browser
        browser.call("Browser.close")
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(back)


class Browser:
    """Calls, and the events that came meanwhile, by the session that they belong to."""

    def __init__(self, ours, back):
        self._ours, self._back, self._rest, self._numbers = ours, back, b"", itertools.count(1)
        self.events = []

    def call(self, method, session=None, **parameters):
        """Return the result of a call."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._ours, content) :]
        answer = self.wait(lambda one: one.get("id") == number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def wait(self, wanted):
        """Return the first message that is `wanted`, among the events that were kept, or to come."""
        for event in self.events:
            if wanted(event):
                return event
        end = time.monotonic() + PATIENCE
        while True:
            while b"\0" not in self._rest:
                ready, _, _ = select.select([self._back], [], [], max(0, end - time.monotonic()))
                assert ready, "Chromium does not answer"
                content = os.read(self._back, 2**20)
                assert content, "Chromium has ended"
                self._rest += content
            message, self._rest = self._rest.split(b"\0", 1)
            message = json.loads(message)
            if "method" in message:
                self.events.append(message)
            if wanted(message):
                return message

    def open(self, path, width=1200, height=900, language="en", dark=False):
        """Return the `Page` of the file `path`, loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        phone = width < 600
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        page.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        page.call("Emulation.setUserAgentOverride", userAgent="test", acceptLanguage=language)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call("Page.navigate", url=path.as_uri())
        page.wait("Page.loadEventFired")
        return page


class Page:
    """A page in a tab of its own."""

    def __init__(self, browser, session):
        self._browser, self._session = browser, session

    def call(self, method, **parameters):
        return self._browser.call(method, self._session, **parameters)

    def wait(self, method):
        return self._browser.wait(lambda one: (one.get("method"), one.get("sessionId")) == (method, self._session))

    def events(self, *methods):
        """Return the parameters of the events so far."""
        own = [one for one in self._browser.events if one.get("sessionId") == self._session]
        return [one["params"] for one in own if one["method"] in methods]

    @property
    def complaints(self):
        """What the console says, errors and warnings of the browser's included."""
        return self.events("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")

    @property
    def requests(self):
        """The addresses that the page has asked for."""
        return [one["request"]["url"] for one in self.events("Network.requestWillBeSent")]

    def evaluate(self, expression):
        """Return what an expression is, as JSON has it; of a promise, what it comes to."""
        found = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, condition):
        """Wait until an expression is true."""
        found = (
            f"new Promise((done) => {{ const ask = () => ({condition}) ? done(true) : setTimeout(ask, 20); ask(); }})"
        )
        return self.evaluate(found)

    def settle(self):
        """Wait until what was asked for the next frame has been done."""
        self.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))"
        )

    def press(self, *keys):
        """Press keys, by the names that their events have."""
        for key in keys:
            text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
            more = {"text": text} if text else {}
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **more)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def mouse(self, kind, x, y):
        """Send "mousePressed", "mouseMoved" or "mouseReleased" of the left button."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def touch(self, kind, *points):
        """Send "touchStart", "touchMove" or "touchEnd"."""
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": x, "y": y} for x, y in points])

    def screenshot(self, path, whole=True):
        """Write a picture of the page."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"]))
