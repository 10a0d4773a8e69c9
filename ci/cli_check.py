#!/usr/bin/env python3
"""Uses the operator's binary as an operator does.

    cli_check.py MANOMETER SERVER

MANOMETER is the built binary, SERVER the built example. `top` watches the server in a terminal of 120 by 30 that tmux gives, keys
are pressed, and the screen is read. Then the pages of a real Prometheus are judged and shown. Exits with 1 at the first mismatch.
"""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PATIENCE_SECONDS = 60


def expect(holds, what):
    """Fails the check unless it holds."""
    if not holds:
        raise SystemExit(f"cli_check: {what}")


def eventually(holds, what):
    """Waits until a condition holds; its value."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        value = holds()
        if value:
            return value
        time.sleep(0.2)
    raise SystemExit(f"cli_check: {what() if callable(what) else what}")


def free_port():
    """A port that nobody had a moment ago."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def answers(url):
    """Whether something answers there."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


@contextlib.contextmanager
def running(*command):
    """A process that is ended at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


class Terminal:
    """A terminal of 120 by 30 with one program in it."""

    def __init__(self, socket_path, command):
        self.tmux = ["tmux", "-S", socket_path, "-f", "/dev/null"]
        subprocess.run([*self.tmux, "new-session", "-d", "-x", "120", "-y", "30", command], check=True)

    def screen(self):
        shown = subprocess.run([*self.tmux, "capture-pane", "-p"], capture_output=True, text=True)
        return shown.stdout

    def press(self, *keys):
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    def shows(self, pattern):
        """Waits until the screen has a line that matches; that line."""
        found = lambda: re.search(f"^.*(?:{pattern}).*$", self.screen(), re.MULTILINE)
        return eventually(found, lambda: f"no {pattern!r} on\n{self.screen()}").group(0)

    def close(self):
        subprocess.run([*self.tmux, "kill-server"], stderr=subprocess.DEVNULL)


def watch(manometer, url, folder):
    """Drives `top` and reads its screen."""
    command = f"{manometer} top --interval 500ms {url}"
    terminal = Terminal(os.path.join(folder, "tmux"), f"{command}; echo left with $?; sleep {PATIENCE_SECONDS}")
    try:
        terminal.shows("manometer top http://127")
        terminal.shows(r"kv_requests +counter +\d+ .* /s +\d")
        terminal.shows(r"kv_request_duration_seconds +histogram .*obs\./s .*[▁-█]{3}")
        terminal.press("/")
        terminal.press("-l", "duration")
        terminal.shows("/duration")
        eventually(lambda: "kv_requests" not in terminal.screen(), "the search hides what does not match")
        terminal.press("Enter")
        terminal.press("Enter")
        terminal.shows(r"command=GET .* obs\./s")
        terminal.shows(r"watched +p50 ≈ \d.* p99 ≈ \d")
        terminal.shows(r"≤ .* █+")
        terminal.shows(r"8  command")
        print(terminal.screen())
        terminal.press("Escape")
        terminal.shows("enter open")
        terminal.press("/")
        terminal.press("-l", "[")
        terminal.shows("malformed")
        terminal.press("Escape")
        terminal.shows("kv_connections")
        terminal.press("q")
        terminal.shows("left with 0")
    finally:
        terminal.close()


def run(*command):
    """Exit status and output."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
    return done.returncode, done.stdout, done.stderr


def judge_prometheus(manometer, folder):
    """Judges and shows the page of a real Prometheus, which the binary had no part in."""
    config = os.path.join(folder, "prometheus.yml")
    with open(config, "w") as file:
        file.write("scrape_configs: []\n")
    address = f"127.0.0.1:{free_port()}"
    storage = os.path.join(folder, "data")
    arguments = [f"--config.file={config}", f"--storage.tsdb.path={storage}", f"--web.listen-address={address}"]
    with running("prometheus", *arguments):
        url = f"http://{address}/metrics"
        eventually(lambda: answers(url), "prometheus does not answer")
        for form in ("openmetrics", "text"):
            status, report, error = run(manometer, "check", "--format", "json", "--as", form, url)
            expect(status in (0, 1), error)
            report = json.loads(report)
            wrong = sorted({f"{defect['rule']} in line {defect['line']}" for defect in report["defects"] if defect["level"] == "error"})
            expect(not wrong, f"prometheus' page: {wrong}")
            expect(report["samples"] > 100, f"only {report['samples']} samples")
            print(f"prometheus, asked for {form}: {report['format']}, {report['families']} families, {report['samples']} samples, no defect")
        status, text, error = run(manometer, "show", url, "^go_goroutines$")
        expect(status == 0 and re.match(r"go_goroutines +\d", text) and not error, f"show: {text}{error}")
        status, text, error = run(manometer, "diff", url, url)
        expect(status == 0, f"diff: {text}{error}")


def main():
    manometer, server = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        address = f"127.0.0.1:{free_port()}"
        with running(server, "--listen", "127.0.0.1:0", "--metrics", address, "--load", "300"):
            url = f"http://{address}/metrics"
            eventually(lambda: answers(url), "the server does not answer")
            watch(manometer, url, folder)
            status, text, error = run(manometer, "check", "--strict", url)
            expect(status == 0, text + error)
        judge_prometheus(manometer, folder)
    print("cli_check: all as it should be")


if __name__ == "__main__":
    main()
