#!/usr/bin/env python3
"""Lets a real Prometheus scrape the example server, and compares what it stored with what the server counted.

    prometheus_check.py SERVER NATIVE UTF8

SERVER, NATIVE and UTF8 are the built examples. prometheus and promtool must be in the PATH, prometheus_client must be importable. Prometheus
scrapes the server itself, which gives OpenMetrics, and through a proxy that asks for text. Another one, with native histograms
switched on, asks the server itself for protobuf. Exits with 1 at the first mismatch.
"""

import contextlib
import http.server
import json
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

LOAD_PER_SECOND = 400
LOAD_SECONDS = 24
LINGER_SECONDS = 20
# Of the end of the load; Prometheus extrapolates from the first and the last scrape within it to its ends.
RATE_WINDOW_SECONDS = 10
RATE_TOLERANCE = 0.05
# A bucket of schema 3 ends so much above where it begins, and a quantile may be anywhere in its bucket.
NATIVE_ERROR = 2 ** (1 / 8) - 1
OPENMETRICS, TEXT, PROTOBUF = "openmetrics", "text", "protobuf"
ACCEPT = {OPENMETRICS: "application/openmetrics-text; version=1.0.0", TEXT: "text/plain"}
CHECK_PAGE = pathlib.Path(__file__).with_name("check_page.py")

CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: openmetrics
    static_configs: [targets: ["{server}"]]
  - job_name: text
    static_configs: [targets: ["{proxy}"]]
"""
PROTOBUF_CONFIG = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: protobuf
    static_configs: [targets: ["{server}"]]
"""


def expect(holds, what):
    """Fails the check unless it holds."""
    if not holds:
        raise SystemExit(f"prometheus_check: {what}")


def fetch(url, accept="*/*"):
    """The body at a URL."""
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=5) as response:
        return response.read()


@contextlib.contextmanager
def running(*command, **options):
    """A process that is ended with the block."""
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def text_proxy(page_url):
    """The address of a proxy that asks for text, whatever it is asked for."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = fetch(page_url, ACCEPT[TEXT])
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "127.0.0.1:%d" % server.server_port
        server.shutdown()


def free_port():
    """A port that was free a moment ago: Prometheus does not tell which one it took."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Prometheus:
    """Prometheus's HTTP API."""

    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}"

    def wait(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return fetch(f"{self.url}/-/ready")
            except OSError:
                expect(time.monotonic() < deadline, "Prometheus does not start")
                time.sleep(0.1)

    def query(self, expression, at):
        """The result of an expression: a list of labels and value."""
        parameters = urllib.parse.urlencode({"query": expression, "time": at})
        answer = json.loads(fetch(f"{self.url}/api/v1/query?{parameters}"))
        return [(series["metric"], float(series["value"][1])) for series in answer["data"]["result"]]

    def number(self, expression, at):
        """The value of an expression that has one."""
        result = self.query(expression, at)
        expect(len(result) == 1, f"{expression} has {len(result)} values")
        return result[0][1]

    def exemplars(self, expression, start, end):
        """The exemplars of the series that an expression selects: labels of the series, and a list of its exemplars."""
        parameters = urllib.parse.urlencode({"query": expression, "start": start, "end": end})
        answer = json.loads(fetch(f"{self.url}/api/v1/query_exemplars?{parameters}"))
        return [(series["seriesLabels"], series["exemplars"]) for series in answer["data"]]

    def targets(self):
        return json.loads(fetch(f"{self.url}/api/v1/targets"))["data"]["activeTargets"]

    def refused_samples(self):
        """Prometheus's own counts of samples and pages that it did not take."""
        own = fetch(f"{self.url}/metrics").decode()
        pattern = r"^(prometheus_target_scrapes?_(?:sample|exceeded)_\w+_total|prometheus_target_scrape_pool\w+failed_total) (.+)$"
        return {name: float(count) for name, count in re.findall(pattern, own, re.M)}


def read_until(lines, pattern):
    """The groups of the first line that matches."""
    for line in lines:
        if found := re.search(pattern, line):
            return found.groups()
    raise SystemExit(f"prometheus_check: the server ended without saying {pattern!r}")


def sample_of(labels):
    """A series as a page writes it, without what Prometheus added."""
    own = sorted((name, value) for name, value in labels.items() if name not in ("__name__", "job", "instance"))
    inner = ",".join(f'{name}="{value}"' for name, value in own)
    return labels["__name__"] + (f"{{{inner}}}" if inner else "")


def check_pages(page_url):
    """Both pages by the project's parsers, the text page by promtool too; returns how many samples each has."""
    counts = {}
    for page_format, accept in ACCEPT.items():
        page = fetch(page_url, accept)
        option = ["--text"] if page_format == TEXT else []
        subprocess.run([sys.executable, CHECK_PAGE, *option], input=page, check=True)
        counts[page_format] = sum(1 for line in page.splitlines() if not line.startswith(b"#"))
        if page_format == TEXT:
            subprocess.run(["promtool", "check", "metrics"], input=page, check=True)
    return counts


def check_job(prometheus, job, samples, totals, rate, load_end):
    """What Prometheus stored of one format."""
    now = time.time()
    expect(prometheus.number(f'min_over_time(up{{job="{job}"}}[1m])', now) == 1, f"{job}: a scrape failed")
    scraped = prometheus.number(f'scrape_samples_scraped{{job="{job}"}}', now)
    expect(scraped == samples, f"{job}: {scraped} samples scraped, {samples} on the page")
    created = prometheus.query(f'kv_requests_created{{job="{job}"}}', now)
    expect(bool(created) == (job == OPENMETRICS), f"{job}: {len(created)} creation times, so this is another format")

    stored = {sample_of(labels): value for labels, value in prometheus.query(f'{{__name__=~"kv_.+",job="{job}"}}', now)}
    expect(sum(sample.startswith("kv_build_info{version=") and value == 1 for sample, value in stored.items()) == 1, f"{job}: no info")
    check_gauge_histogram(job, stored, totals.pop("kv_value_size_bytes_count"))
    for sample, count in totals.items():
        # An error that never happened has no series.
        value = stored.get(sample, 0 if sample.startswith("kv_errors_total") else None)
        expect(value == count, f"{job}: {sample} is {value}, the application counted {count}")

    requests = f'kv_requests_total{{job="{job}"}}[{RATE_WINDOW_SECONDS}s]'
    for expression, expected in (
        (f"sum(rate({requests}))", rate),
        (f"sum(increase({requests}))", rate * RATE_WINDOW_SECONDS),
    ):
        # Asked at several moments of the load: on a busy machine a scrape comes late, and one window is cut short.
        moments = [load_end - back for back in range(5)]
        value = statistics.median(prometheus.number(expression, moment) for moment in moments)
        print(f"{job}: {expression} = {value:.1f} in the median, the application says {expected:.1f}")
        expect(abs(value / expected - 1) <= RATE_TOLERANCE, f"{job}: off by more than {RATE_TOLERANCE:.0%}")
    check_exemplars(prometheus, job, now)
    print(f"{job}: up, {int(scraped)} samples, {len(totals)} totals equal to the application's")


def check_gauge_histogram(job, stored, values):
    """Text shows it as a histogram. Of protobuf, Prometheus 2.42 stores it without the suffixes of its samples, which later ones mended."""
    if job == PROTOBUF and "kv_value_size_bytes_bucket" not in {sample.partition("{")[0] for sample in stored}:
        print(f"{job}: this Prometheus does not name the samples of a gauge histogram")
        return
    ends = ("gsum", "gcount") if job == OPENMETRICS else ("sum", "count")
    missing = [end for end in ends if f"kv_value_size_bytes_{end}" not in stored]
    expect(not missing, f"{job}: no {missing} of a gauge histogram")
    for sample in (f"kv_value_size_bytes_{ends[1]}", 'kv_value_size_bytes_bucket{le="+Inf"}'):
        expect(stored.get(sample) == values, f"{job}: {sample} is {stored.get(sample)}, the store has {values} values")


def check_exemplars(prometheus, job, now):
    """Each bucket's exemplars are requests that took as long as the bucket says; the text format has none."""
    found = prometheus.exemplars(f'kv_request_duration_seconds_bucket{{job="{job}"}}', now - 60, now)
    expect(bool(found) == (job != TEXT), f"{job}: {len(found)} buckets with exemplars")
    for series, exemplars in found:
        for exemplar in exemplars:
            expect(exemplar["labels"]["request"].isdecimal(), f"{job}: an exemplar with {exemplar['labels']}")
            took, le = float(exemplar["value"]), series["le"]
            expect(le == "+Inf" or took <= float(le), f"{job}: an exemplar of {took} in the bucket up to {le}")
    if found:
        print(f"{job}: {sum(len(exemplars) for _, exemplars in found)} exemplars in {len(found)} buckets")


def start_prometheus(stack, folder, config, *features):
    """A Prometheus with this configuration, ready and on a free port, and its open log; both end with `stack`."""
    port = free_port()
    folder.mkdir(exist_ok=True)
    file = folder / "prometheus.yml"
    file.write_text(config)
    log = stack.enter_context(open(folder / "log", "w+"))
    stack.enter_context(
        running(
            "prometheus",
            f"--config.file={file}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=" + ",".join(("exemplar-storage", *features)),
            "--log.level=warn",
            stdout=log,
            stderr=log,
        )
    )
    prometheus = Prometheus(port)
    prometheus.wait()
    return prometheus, log


def check_health(prometheus, log, jobs):
    """Every target is up, and there was nothing to refuse or to complain of."""
    targets = prometheus.targets()
    expect(len(targets) == jobs, f"{len(targets)} targets")
    for target in targets:
        expect(target["health"] == "up" and not target["lastError"], f"{target['scrapeUrl']}: {target['lastError']}")
    refused = prometheus.refused_samples()
    expect(refused and not any(refused.values()), f"Prometheus refused something: {refused}")
    log.seek(0)
    complaints = log.read()
    expect(not complaints, f"Prometheus complains:\n{complaints}")


def classic_option():
    """The scrape option by which this Prometheus stores classic buckets beside native ones; None of one that is too old."""
    told = subprocess.run(["prometheus", "--version"], capture_output=True, text=True, check=True)
    version = re.search(r"version (\d+)\.(\d+)", told.stdout + told.stderr)
    major, minor = int(version[1]), int(version[2])
    if major >= 3:
        return "always_scrape_classic_histograms"
    return "scrape_classic_histograms" if (major, minor) >= (2, 45) else None


def wait_for(prometheus, expression):
    """When an expression first has a value; Prometheus may take some seconds to begin."""
    deadline = time.time() + 30
    while not prometheus.query(expression, now := time.time()) and now < deadline:
        time.sleep(0.5)
    return now


def check_native(command):
    """Quantiles of native histograms whose values are spread evenly over (0, 1] are what they are asked for, classic buckets beside or not."""
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        (page_url,) = read_until(server.stdout, r"^metrics: (\S+)")
        config = PROTOBUF_CONFIG.format(server=urllib.parse.urlsplit(page_url).netloc)
        option = classic_option()
        both = f"{config}    {option}: true\n" if option else config
        prometheus, log = start_prometheus(stack, folder / "native", both, "native-histograms")
        for name in ("work_seconds", "task_seconds"):
            now = wait_for(prometheus, f"histogram_count({name})")
            count, total = (prometheus.number(f"histogram_{part}({name})", now) for part in ("count", "sum"))
            expect(count == 10_000 and abs(total - 5000.5) < 1e-6, f"native: {count} values, {total} in sum of {name}")
            for asked in (0.01, 0.1, 0.5, 0.9, 0.99):
                found = prometheus.number(f"histogram_quantile({asked}, {name})", now)
                print(f"native: histogram_quantile({asked}, {name}) = {found:.4f}")
                expect(abs(found / asked - 1) <= NATIVE_ERROR, f"native: off by more than {NATIVE_ERROR:.1%}")
        expect(prometheus.exemplars("task_seconds", now - 60, now), "native: no exemplars")
        check_health(prometheus, log, 1)
        if not option:
            print("native: this Prometheus stores one kind of buckets; another one, without native histograms, reads the classic ones")
            prometheus, log = start_prometheus(stack, folder / "classic", config)
        check_classic(prometheus)
        check_health(prometheus, log, 1)


def check_classic(prometheus):
    """The classic buckets of the histogram that has both kinds."""
    now = wait_for(prometheus, "task_seconds_bucket")
    buckets = {labels["le"]: value for labels, value in prometheus.query("task_seconds_bucket", now)}
    expected = {"0.1": 1000, "0.25": 2500, "0.5": 5000, "1.0": 10_000, "+Inf": 10_000}
    expect(buckets == expected, f"classic: {buckets}")
    print(f"classic: {buckets}")


def read_names(page, page_format):
    """Names of samples, with their labels' names and their values, as the project's parser reads them."""
    # Here, since the check of the proxy has no use for it.
    from prometheus_client import openmetrics, parser
    import prometheus_client.openmetrics.parser

    families_of = (openmetrics.parser if page_format == OPENMETRICS else parser).text_string_to_metric_families
    samples = [sample for family in families_of(page.decode()) for sample in family.samples]
    return {(sample.name, *sorted(sample.labels)): sample.value for sample in samples if not sample.name.endswith("_created")}


def check_names(command):
    """Names that are not classic: read by the parser in every scheme, and stored by a Prometheus that may know only classic ones."""
    expected = {
        "allow-utf-8": ("http.server.requests_total", "http.request.method", 'größe der "Datei"_bytes', "power.phase", "http.server.duration_seconds_bucket"),
        "underscores": ("http_server_requests_total", "http_request_method", "gr__e_der__Datei__bytes", "power_phase", "http_server_duration_seconds_bucket"),
        "dots": ("http_dot_server_dot_requests__total", "http_dot_request_dot_method", "gr____e__der____Datei____bytes", "power_dot_phase", "http_dot_server_dot_duration__seconds_bucket"),
        "values": (
            "U__http_2e_server_2e_requests__total",
            "U__http_2e_request_2e_method",
            "U__gr_f6__df_e_20_der_20__22_Datei_22___bytes",
            "U__power_2e_phase",
            "U__http_2e_server_2e_duration__seconds_bucket",
        ),
    }
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        (page_url,) = read_until(server.stdout, r"^metrics: (\S+)")
        for scheme, (requests, method, size, phase, bucket) in expected.items():
            for page_format, accept in ACCEPT.items():
                page = fetch(page_url, f"{accept}; escaping={scheme}")
                found = read_names(page, page_format)
                for name in ((requests, method), (size,), (phase, phase), (bucket, "le")):
                    expect(name in found, f"names: no {name} in {scheme} as {page_format}: {sorted(found)}")
                option = ["--text"] if page_format == TEXT else []
                subprocess.run([sys.executable, CHECK_PAGE, *option], input=page, check=True)
        config = CONFIG.format(server=urllib.parse.urlsplit(page_url).netloc, proxy=stack.enter_context(text_proxy(page_url)))
        prometheus, log = start_prometheus(stack, folder / "names", config)
        name = "{__name__=~'http.server.requests_total'}"
        deadline = time.time() + 30
        while len(stored := prometheus.query(f"sum by (job) ({name})", now := time.time())) < 2 and now < deadline:
            time.sleep(0.5)
        totals = {labels["job"]: value for labels, value in stored}
        expect(totals == {OPENMETRICS: 7, TEXT: 7}, f"names: {totals}")
        keys = {key for labels, _ in prometheus.query(name, time.time()) for key in labels if key.startswith("http")}
        expect(keys <= {"http.request.method", "http_request_method"} and keys, f"names: {keys}")
        check_health(prometheus, log, 2)
        print(f"names: read in {len(expected)} schemes, stored with labels {sorted(keys)}")


def main():
    expect(len(sys.argv) == 4, "usage: prometheus_check.py SERVER NATIVE UTF8")
    # Being told to stop runs the blocks to their ends, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("prometheus_check: told to stop"))
    command = [sys.argv[1], "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--load", str(LOAD_PER_SECOND)]
    command += ["--seconds", str(LOAD_SECONDS), "--linger", str(LINGER_SECONDS)]
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running(*command, stdout=subprocess.PIPE, text=True))
        (page_url,) = read_until(server.stdout, r"^metrics: curl (\S+)")
        proxy = stack.enter_context(text_proxy(page_url))
        address = urllib.parse.urlsplit(page_url).netloc
        texts = start_prometheus(stack, folder / "texts", CONFIG.format(server=address, proxy=proxy))
        messages = start_prometheus(
            stack, folder / "messages", PROTOBUF_CONFIG.format(server=address), "native-histograms"
        )

        requests, rate = read_until(server.stdout, r"^served (\d+) requests in \S+ s, (\S+) per second")
        load_end = time.time() - 1
        rows = (line.split() for line in server.stdout)
        next(rows)
        totals = {}
        for sample, count, on_page, *differs in rows:
            expect(not differs, f"the server's own page says {on_page}, the application counted {count} of {sample}")
            totals[sample] = int(count)
            if sample == "kv_requests_in_flight":
                break
        counted = sum(count for sample, count in totals.items() if sample.startswith("kv_requests_total"))
        expect(counted == int(requests) > 0, f"{counted} requests in the table, {requests} above it")

        time.sleep(3)  # two scrapes, at least
        samples = check_pages(page_url)
        # It has no creation times either, and each sample of the text page from a field of its own.
        samples[PROTOBUF] = samples[TEXT]
        for (prometheus, log), jobs in ((texts, (OPENMETRICS, TEXT)), (messages, (PROTOBUF,))):
            for job in jobs:
                check_job(prometheus, job, samples[job], dict(totals), float(rate), load_end)
            check_health(prometheus, log, len(jobs))
        expect(server.wait(LINGER_SECONDS) == 0, "the server did not end well")
    check_native(sys.argv[2])
    check_names(sys.argv[3])


if __name__ == "__main__":
    main()
