#!/usr/bin/env python3
"""Opens the live page in a real Chromium and uses it as a person would.

    page_check.py EXAMPLE FOLDER

EXAMPLE is the built example `page`; screenshots go to FOLDER. chromium must be in the PATH, websockets must be importable. Exits with 1 at
the first mismatch, and at anything that the browser complains of.
"""

import base64
import contextlib
import itertools
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from websockets.sync.client import connect

PATIENCE_SECONDS = 30
SERIES = 10_000
TOKEN = "correct-horse"
# One reading of ten thousand series: what a busy machine may take for it, some ten times what an idle one takes.
MOST_MILLISECONDS = 1500
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


def expect(holds, what):
    """Fails the check unless it holds."""
    if not holds:
        raise SystemExit(f"page_check: {what}")


@contextlib.contextmanager
def shop(example, *arguments):
    """The address of a running example. It ends when its standard input does."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen([example, "0", *arguments], **pipes)
    try:
        yield re.search(r"http://\S+", process.stdout.readline()).group(), process
    finally:
        process.stdin.close()
        process.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def chromium():
    """The address of the debugger of a headless browser."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]
        options += ["--no-first-run", "--disable-background-networking", "--disable-component-update"]
        command = ["chromium", *options, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            port = pathlib.Path(folder, "DevToolsActivePort")
            until("the browser", port.exists)
            yield f"http://127.0.0.1:{port.read_text().splitlines()[0]}"
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def until(what, holds):
    """Waits until it holds, and gives back what it holds."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.05)
    raise SystemExit(f"page_check: no {what} in {PATIENCE_SECONDS} s")


def new_tab(debugger):
    """A connection to a new tab of the browser."""
    request = urllib.request.Request(f"{debugger}/json/new?about:blank", method="PUT")
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as response:
        return connect(json.load(response)["webSocketDebuggerUrl"], max_size=None, ping_interval=None)


class Tab:
    """A tab of the browser; notes whatever it complains of."""

    def __init__(self, socket):
        self.socket = socket
        self.numbers = itertools.count(1)
        self.complaints = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **parameters):
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv(timeout=PATIENCE_SECONDS))
            self.note(message)
            if message.get("id") == number:
                expect("error" not in message, f"{method}: {message.get('error')}")
                return message["result"]

    def note(self, message):
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(message["params"]["exceptionDetails"])[:600])
            case "Runtime.consoleAPICalled" if message["params"]["type"] in ("error", "warning", "assert"):
                self.complaints.append(str([argument.get("value") for argument in message["params"]["args"]]))
            case "Log.entryAdded" if message["params"]["entry"]["level"] in ("error", "warning"):
                self.complaints.append(message["params"]["entry"]["text"])
            case "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(("http://127.0.0.1:", "data:", "about:")):
                    self.complaints.append(f"it asks {url}")

    def run(self, script):
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        expect("exceptionDetails" not in result, f"{script}: {result.get('exceptionDetails')}")
        return result["result"].get("value")

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})?.textContent ?? ''")

    def wait(self, what, script):
        return until(what, lambda: self.run(script))

    def open(self, url, ticks=3):
        self.ask("Page.navigate", url=url)
        if ticks:
            self.wait("readings of the metrics", f"document.getElementById('foot')?.dataset.tick >= {ticks}")

    def leave(self):
        """Ends what a page does, and forgets what the browser said of it."""
        self.ask("Page.navigate", url="about:blank")
        self.wait("end of the page", "location.href === 'about:blank'")
        self.complaints.clear()

    def go(self, fragment):
        self.run(f"location.hash = {json.dumps(fragment)}")
        self.run("new Promise(requestAnimationFrame)")

    def type(self, text):
        self.ask("Input.insertText", text=text)

    def press(self, key, **more):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, **more)

    def look(self, width, theme, height=900, scale=1):
        """Sets the size of the window and the colours that its user likes."""
        size = {"width": width, "height": height, "deviceScaleFactor": scale, "mobile": width < 600}
        self.ask("Emulation.setDeviceMetricsOverride", **size)
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])

    def shoot(self, file):
        self.run("new Promise((done) => setTimeout(done, 400))")
        expect(not self.run("document.documentElement.scrollWidth > innerWidth"), f"{file.name}: it is wider than the window")
        file.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))

    def expect_quiet(self, but=None):
        rest = [text for text in self.complaints if but is None or but not in text]
        expect(not rest, "the browser complains: " + "\n".join(rest))
        self.complaints.clear()


def samples(url, token=None):
    """The samples of the metrics, as a scraper reads them."""
    headers = OPENMETRICS | ({"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(urllib.request.Request(f"{url}metrics", headers=headers), timeout=PATIENCE_SECONDS) as page:
        lines = [line for line in page.read().decode().splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)


def check_headers(url):
    with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as page:
        size = len(page.read())
    expect(size < 60_000, f"the document has {size} bytes")
    print(f"the document has {size} bytes")


def check_values(tab, url):
    """What is on the page is what the engine says."""
    tab.press("/", text="/")
    tab.type("orders")
    tab.wait("hit", "document.querySelectorAll('#rows .row').length === 2")
    heading = tab.text("#heading")
    expect(re.fullmatch(r"2 of \d+ families", heading), f"two families have orders in them, but: {heading}")
    total = samples(url)["shop_orders_total"]
    shown = tab.text("#rows .row .value small")
    expect(total == "1234567" and shown == "1.23\u202fM in all", f"the engine says {total}, the page {shown!r}")
    tab.press("ArrowDown")
    tab.press("Enter", text="\r")
    tab.wait("family", "document.getElementById('name').textContent === 'shop_orders'")
    exact = tab.run("document.querySelectorAll('#facts dd')[1].dataset.value")
    expect(exact == total, f"the engine says {total}, the page {exact}")
    tab.press("Escape")
    tab.wait("overview", "!document.getElementById('overview').hidden")

    # Paused, every series of a family agrees with a page of a moment before or after.
    tab.run("document.getElementById('search').value = ''; document.getElementById('search').dispatchEvent(new Event('input'))")
    before = samples(url)
    tick = int(tab.run("document.getElementById('foot').dataset.tick"))
    tab.wait("reading", f"document.getElementById('foot').dataset.tick > {tick + 1}")
    set_select(tab, "interval", "0")
    expect(tab.text("#state span") == "paused", "it is not paused")
    after = samples(url)
    tab.go("#shop_requests")
    rows = tab.run(
        "[...document.querySelectorAll('#members .row')].map((row) => [...row.querySelectorAll('.labels > span:not(.dot)')]"
        ".map((label) => label.textContent).concat(row.querySelector('b').dataset.value))"
    )
    expect(len(rows) >= 4, f"only {rows}")
    for *labels, value in rows:
        quoted = ",".join("{}=\"{}\"".format(*label.split("=", 1)) for label in labels)
        sample = f"shop_requests_total{{{quoted}}}"
        low, high = float(before.get(sample, 0)), float(after[sample])
        expect(low <= float(value) <= high, f"{sample} is {value} on the page, and between {low} and {high}")
    time.sleep(2)
    set_select(tab, "interval", "1000")
    tab.wait("reading", f"document.getElementById('foot').dataset.tick > {tick + 6}")
    # Twenty a second, also over the pause.
    rates = tab.run("[...store.families.get('shop_searches').ring].filter(Number.isFinite)")
    expect(len(rates) > 4 and max(rates) < 40, f"rates are {rates}")
    tab.go("#shop_request_seconds")
    tab.wait("distribution", "document.querySelectorAll('#histogram .bar').length === 12")
    quantiles = tab.wait(
        "quantiles",
        "(() => { const found = [...document.querySelectorAll('#facts dt')].filter((term) => term.textContent.startsWith('p'));"
        " return found.length === 3 && found.map((term) => term.nextSibling.textContent); })()",
    )
    expect(all(re.search("\u202f(ms|s)$", text) for text in quantiles), f"quantiles read {quantiles}")
    tab.expect_quiet()


def set_select(tab, name, value):
    tab.run(
        f"(() => {{ const select = document.getElementById('{name}'); select.value = '{value}';"
        " select.dispatchEvent(new Event('change')); })()"
    )
    tab.run("new Promise(requestAnimationFrame)")


def check_hostile_labels(tab):
    """Label values are text, whatever they look like."""
    tab.go("#shop_searches")
    tab.wait("series", "document.querySelectorAll('#members .row').length === 6")
    labels = tab.run("[...document.querySelectorAll('#members .labels')].map((labels) => labels.textContent)")
    for term in ("<img src=x onerror=\"document.title='broken in'\">", "\"><script>document.title='broken in'</script>", '{le="0.5"} 3\\'):
        expect(f"term={term}" in labels, f"{term} is not among {labels}")
    expect(tab.run("document.querySelectorAll('img, main script').length") == 0, "a label became markup")
    expect("broken in" not in tab.run("document.title"), "a label became code")
    refused = tab.run("(() => { try { document.body.innerHTML = '<b>'; } catch (error) { return error.name; } })()")
    expect(refused == "TypeError", f"the policy lets text become markup: {refused}")
    tab.complaints.clear()


def check_many_series(tab, url):
    tab.open(url, ticks=2)
    set_select(tab, "interval", "1000")
    timings = []
    for _ in range(3):
        tick = int(tab.run("document.getElementById('foot').dataset.tick"))
        tab.wait("reading", f"document.getElementById('foot').dataset.tick > {tick}")
        timings.append([float(tab.run(f"document.getElementById('foot').dataset.{step}")) for step in ("parsed", "drawn")])
    tab.go("#shop_shelf_visits")
    tab.wait("series", "document.querySelectorAll('#members .row').length === 60")
    timings.append([0, float(tab.run("document.getElementById('foot').dataset.drawn"))])
    print(f"{SERIES} series, [read, drawn] in ms: {timings}")
    expect(max(map(sum, timings)) < MOST_MILLISECONDS, "the page is slow")
    tab.run("document.getElementById('search').focus()")
    tab.type("shelf=4711")
    tab.wait("series", "document.getElementById('members-title').textContent === '1 of 10\u202f000 series'")
    tab.expect_quiet()


def check_token(tab, url):
    tab.open(url, ticks=0)
    tab.wait("question", "document.getElementById('sign')?.hidden === false")
    for token, wanted in (("wrong", "refuses this token"), (TOKEN, "")):
        tab.run("document.getElementById('token').focus()")
        tab.type(token)
        tab.press("Enter", text="\r")
        if wanted:
            tab.wait("refusal", f"document.getElementById('notice').textContent.includes('{wanted}')")
    tab.wait("metrics", "document.getElementById('foot').dataset.tick >= 2")
    expect(tab.run("document.getElementById('sign').hidden"), "it still asks")
    stored = tab.run("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])")
    expect(TOKEN not in stored, "the token is kept")
    tab.expect_quiet(but="401")


def check_gone(tab, process):
    """A server that goes away: the page says so, and keeps what it has."""
    process.stdin.close()
    process.wait(PATIENCE_SECONDS)
    tab.wait("notice", "document.getElementById('notice').textContent.includes('cannot be reached')")
    tab.wait("countdown", "/Trying again in \\d/.test(document.getElementById('notice').textContent)")
    expect(tab.run("document.querySelectorAll('#rows .row').length") > 5, "nothing is left to see")


def main():
    example, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    step = lambda text: print(f"{time.monotonic() - began:5.1f} s: {text}", flush=True)
    with chromium() as debugger, new_tab(debugger) as socket:
        tab = Tab(socket)
        tab.look(1280, "light")
        with shop(example) as (url, process):
            check_headers(url)
            tab.open(url)
            check_values(tab, url)
            check_hostile_labels(tab)
            step("values are right, labels are text")
            for (width, theme), (name, fragment) in itertools.product(
                [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")],
                [("overview", ""), ("histogram", "#shop_request_seconds"), ("counter", "#shop_requests"), ("hostile", "#shop_searches")],
            ):
                tab.look(width, theme)
                tab.go(fragment)
                tab.shoot(folder / f"{name}-{width}-{theme}.png")
            tab.expect_quiet()
            tab.look(1280, "light")
            tab.go("")
            step("screenshots are taken")
            check_gone(tab, process)
            tab.shoot(folder / "gone.png")
            tab.leave()
        step("a server that is gone is told of")
        with shop(example, str(SERIES)) as (url, _):
            check_many_series(tab, url)
            tab.shoot(folder / "many.png")
            tab.leave()
        step("ten thousand series are no burden")
        with shop(example, "0", TOKEN) as (url, _):
            check_token(tab, url)
            tab.shoot(folder / "token.png")
        step("a token is asked for")


main()
