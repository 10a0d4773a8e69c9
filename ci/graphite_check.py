"""Starts carbon, lets the example report to it, stops carbon and starts it again in between, and reads the files that it wrote."""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import whisper
from carbon.util import TaggedSeries

PATIENCE = 30  # seconds

CARBON = """
[cache]
STORAGE_DIR = {root}
LOCAL_DATA_DIR = {root}/whisper
CONF_DIR = {root}/conf
LOG_DIR = {root}/log
PID_DIR = {root}
LINE_RECEIVER_INTERFACE = 127.0.0.1
LINE_RECEIVER_PORT = {line}
PICKLE_RECEIVER_INTERFACE = 127.0.0.1
PICKLE_RECEIVER_PORT = {pickle}
CACHE_QUERY_INTERFACE = 127.0.0.1
CACHE_QUERY_PORT = {query}
MAX_CREATES_PER_MINUTE = inf
MAX_UPDATES_PER_SECOND = inf
ENABLE_TAGS = False
"""

SCHEMAS = "[all]\npattern = .*\nretentions = 1s:1h\n"


def free_ports(count):
    """Ports that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def wait_for(what, done):
    """Waits until `done` gives something, and returns that."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if result := done():
            return result
        time.sleep(0.1)
    sys.exit(f"{what} did not come in {PATIENCE} s")


def start_carbon(root, port):
    """Carbon, listening."""
    program = pathlib.Path(sys.executable).parent / "carbon-cache.py"
    command = [sys.executable, program, f"--config={root}/conf/carbon.conf", "--nodaemon", "start"]
    environment = dict(os.environ, GRAPHITE_ROOT=str(root), GRAPHITE_STORAGE_DIR=str(root))
    carbon = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def listens():
        if carbon.poll() is not None:
            sys.exit(f"carbon ended with {carbon.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    wait_for("carbon", listens)
    return carbon


def stop(process):
    """Ends a process that this one started."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def points(root, series):
    """What carbon wrote of a series. It names the files of tagged ones by a hash, for which it is asked itself."""
    path = TaggedSeries.encode(TaggedSeries.parse(series).path, os.sep, hash_only=True)
    file = root / "whisper" / f"{path}.wsp"
    if not file.exists():
        return []
    _, values = whisper.fetch(str(file), int(time.time()) - 300)
    return [value for value in values if value is not None]


def memory():
    """Bytes of this machine."""
    with open("/proc/meminfo", encoding="ascii") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemTotal:"))


def main(example):
    """Checks what arrives before and after carbon was away."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        line, pickle, query = free_ports(3)
        (root / "conf").mkdir()
        (root / "conf/carbon.conf").write_text(CARBON.format(root=root, line=line, pickle=pickle, query=query))
        (root / "conf/storage-schemas.conf").write_text(SCHEMAS)
        carbon = start_carbon(root, line)
        reporter = subprocess.Popen([example, f"127.0.0.1:{line}", "1"], stderr=subprocess.PIPE, text=True)
        try:
            total = wait_for("memory", lambda: points(root, "machine.memory_bytes;kind=total"))
            assert set(total) == {memory()}, f"{total} bytes of memory instead of {memory()}"
            for series in ["machine.uptime_seconds", "machine.load;minutes=15"]:
                wait_for(series, lambda series=series: points(root, series))
            received = wait_for(
                "network",
                lambda: points(root, "machine.network_bytes_total;device=lo;direction=received"),
            )
            assert received == sorted(received), f"a total went back: {received}"
            before = wait_for("two points", lambda: (seen := points(root, "machine.uptime_seconds"))[1:] and seen)
            stop(carbon)
            time.sleep(3)
            carbon = start_carbon(root, line)
            after = wait_for(
                "points after carbon was away",
                lambda: (seen := points(root, "machine.uptime_seconds"))[len(before) + 1 :] and seen,
            )
            assert after == sorted(after), f"uptime went back: {after}"
            assert reporter.poll() is None, "the example ended"
        finally:
            stop(reporter)
            stop(carbon)
        complaints = reporter.stderr.read()
        assert "was not reached" in complaints, f"the example did not say that carbon was away: {complaints!r}"
        print(f"carbon holds {len(after)} points of each series; the example said: {complaints.splitlines()[0]}")

    refused = subprocess.run([example, "127.0.0.1:0", "1", "1"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1 and "port is 0" in refused.stderr, refused.stderr
    print(f"a bad port is answered with: {refused.stderr.strip()}")


main(sys.argv[1])
