#!/usr/bin/env python3
"""Puts a real nginx in front of the example `exposed`, and a real Prometheus behind a token.

    proxy_check.py EXPOSED

EXPOSED is the built example. nginx and prometheus must be in the PATH. Exits with 1 at the first mismatch.
"""

import contextlib
import http.client
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from prometheus_check import expect, free_port, running, start_prometheus

TOKEN = "correct-horse"

# The lists of behaviour.md, section 17, and one for clients of nginx itself.
LISTS = {
    "A": "",
    "B": 'openmetrics_allow_ips = ["::1"]\nopenmetrics_allow_cidr = "10.0.0.0/8"\n',
    "C": 'openmetrics_allow_ips = ["127.0.0.9"]\nopenmetrics_require_forwarded = true\n',
}

# HTV-01 to HTV-05, but for the header that is there and empty, which nginx does not send.
VECTORS = [
    (None, 200, 403),
    ("127.0.0.1", 200, 403),
    ("203.0.113.9", 403, 403),
    ("10.1.2.3, 203.0.113.9", 403, 403),
    ("garbage, 203.0.113.9", 403, 403),
    ("10.1.2.3", 403, 200),
    ("::ffff:10.1.2.3", 403, 200),
    ("10.1.2.3, 127.0.0.1", 403, 200),
    ("203.0.113.9, 10.1.2.3", 403, 200),
    ("garbage, 10.1.2.3", 403, 200),
    ("10.1.2.3:4711", 403, 200),
    ("[::ffff:10.1.2.3]:443", 403, 200),
    ("garbage", 403, 403),
    ("unknown", 403, 403),
    ("127.0.0.1,garbage", 403, 403),
    ("10.1.2.3, garbage", 403, 403),
    ("fe80::1%eth0", 403, 403),
]

# `add` is how nginx is used as a proxy; `pass` sends on what the client said, so that every vector can be sent; `text` asks for text.
LOCATIONS = """
        location /{name}/add/ {{
            proxy_pass http://{address}/;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        }}
        location /{name}/pass/ {{
            proxy_pass http://{address}/;
        }}
        location /{name}/text/ {{
            proxy_pass http://{address}/;
            proxy_set_header Accept text/plain;
        }}
"""

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
{locations}
    }}
}}
"""

PROMETHEUS = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: direct
    authorization: {{ credentials: "{token}" }}
    static_configs: [targets: ["{server}"]]
  - job_name: proxied
    metrics_path: /token/pass/metrics
    authorization: {{ credentials: "{token}" }}
    static_configs: [targets: ["127.0.0.1:{nginx}"]]
  - job_name: text
    metrics_path: /token/text/metrics
    authorization: {{ credentials: "{token}" }}
    static_configs: [targets: ["127.0.0.1:{nginx}"]]
  - job_name: wrong
    authorization: {{ credentials: "wrong" }}
    static_configs: [targets: ["{server}"]]
"""


class Exposed:
    """The example with a configuration of its own."""

    def __init__(self, stack, program, folder, name, configuration):
        file = folder / f"{name}.toml"
        file.write_text(f'http_ports = [0]\nhttp_interfaces = "127.0.0.1"\n{configuration}')
        options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = stack.enter_context(running(program, file, **options))
        self.address = re.match(r"metrics: http://([^/]+)/", self.process.stdout.readline())[1]

    def denied(self):
        """Ends it; how often it denied, by reason."""
        said, _ = self.process.communicate(timeout=5)
        expect(self.process.returncode == 0, f"the example ended with {self.process.returncode}")
        return {reason: int(count) for reason, count in re.findall(r"^denied (\w+): (\d+)$", said, re.M)}


def status(port, path, source="127.0.0.1", **headers):
    """What a client at the address `source` gets."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5, source_address=(source, 0))
    with contextlib.closing(connection):
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        response.read()
        expect(not [name for name in response.headers if name.lower().startswith("access-control")], "a CORS header")
        return response.status


def wait_for(port, path):
    """Waits until something answers."""
    deadline = time.monotonic() + 10
    while True:
        try:
            return status(port, path)
        except OSError:
            expect(time.monotonic() < deadline, f"nothing answers at port {port}")
            time.sleep(0.1)


def check_clients(port):
    """The table, and clients that nginx tells by their real addresses."""
    for value, *expected in VECTORS:
        headers = {} if value is None else {"X_Forwarded_For": value}
        for name, wanted in zip("AB", expected):
            for path in ("metrics", "stats"):
                got = status(port, f"/{name}/pass/{path}", **headers)
                expect(got == wanted, f"lists {name}, {value!r}: {got} at /{path}, not {wanted}")
    for source, wanted in (("127.0.0.9", 200), ("127.0.0.8", 403), ("127.0.0.1", 403)):
        got = status(port, "/C/add/metrics", source)
        expect(got == wanted, f"a client at {source} gets {got}, not {wanted}")
    # What a client claims is left of what nginx knows.
    expect(status(port, "/C/add/metrics", "127.0.0.8", X_Forwarded_For="127.0.0.9") == 403, "a claim was believed")
    expect(status(port, "/C/add/metrics", "127.0.0.9", X_Forwarded_For="garbage") == 200, "a claim was looked at")
    expect(status(port, "/C/pass/metrics") == 403, "a proxy that says nothing was let in")
    print(f"{len(VECTORS)} vectors and 6 clients behind nginx: as the lists say")


def scraped(prometheus, count):
    """All targets by their jobs, once each has been scraped."""
    deadline = time.monotonic() + 20
    while True:
        targets = {target["labels"]["job"]: target for target in prometheus.targets()}
        if len(targets) == count and all(target["health"] != "unknown" for target in targets.values()):
            return targets
        expect(time.monotonic() < deadline, f"Prometheus scraped nothing: {targets}")
        time.sleep(0.2)


def check_prometheus(stack, folder, server, nginx):
    """Which jobs are up, and in which format."""
    prometheus, log = start_prometheus(stack, folder, PROMETHEUS.format(token=TOKEN, server=server, nginx=nginx))
    targets = scraped(prometheus, 4)
    for job, has_created in (("direct", True), ("proxied", True), ("text", False)):
        target = targets[job]
        expect(target["health"] == "up", f"{job}: {target['lastError']}")
        expect(prometheus.number(f'ticks_total{{job="{job}"}}', time.time()) > 0, f"{job}: no ticks")
        created = prometheus.query(f'ticks_created{{job="{job}"}}', time.time())
        expect(bool(created) == has_created, f"{job}: {len(created)} creation times, so this is another format")
        print(f"{job}: up")
    expect("401" in targets["wrong"]["lastError"], f"wrong token: {targets['wrong']['lastError']!r}")
    print(f"wrong token: {targets['wrong']['lastError']}")
    log.seek(0)
    complaints = log.read()
    expect(not complaints, f"Prometheus complains:\n{complaints}")


def main():
    expect(len(sys.argv) == 2, "usage: proxy_check.py EXPOSED")
    # Being told to stop runs the blocks to their ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("proxy_check: told to stop"))
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        configurations = LISTS | {"token": f'openmetrics_token = "{TOKEN}"\n'}
        servers = {
            name: Exposed(stack, sys.argv[1], folder, name, configuration)
            for name, configuration in configurations.items()
        }
        port = free_port()
        locations = "".join(LOCATIONS.format(name=name, address=server.address) for name, server in servers.items())
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, locations=locations))
        stack.enter_context(running("nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "nginx.log"))
        wait_for(port, "/A/pass/metrics")

        check_clients(port)
        expect(status(port, "/token/pass/metrics") == 401, "let in without a token")
        expect(status(port, "/token/pass/metrics", Authorization=f"Bearer {TOKEN}") == 200, "the token does not pass nginx")
        check_prometheus(stack, folder, servers["token"].address, port)

        denied = {name: server.denied() for name, server in servers.items()}
        expected = sum(wanted == 403 for _, wanted, _ in VECTORS) * 2
        expect(sum(denied["A"].values()) == expected, f"lists A denied {denied['A']}, not {expected} in all")
        expect(denied["C"] == {**dict.fromkeys(denied["C"], 0), "not_allowed": 3, "not_forwarded": 1}, f"lists C: {denied['C']}")
        expect(denied["token"]["token"] > 1, f"denied for their tokens: {denied['token']}")
        print(f"denied: {denied}")
        log = (folder / "nginx.log").read_text()
        expect(not log, f"nginx complains:\n{log}")


if __name__ == "__main__":
    main()
