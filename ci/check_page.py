#!/usr/bin/env python3
"""Reads a metrics page with the parsers of the Prometheus project (PyPI: prometheus_client).

    check_page.py [--text] [FILE]...

Without a file it reads standard input; with --text the page is Prometheus text 0.0.4, else OpenMetrics 1.0.
Prints the number of families and samples of each page; exits with 1 if any page has an error.
"""

import argparse
import io
import sys

from prometheus_client import openmetrics, parser
import prometheus_client.openmetrics.parser


def read(path):
    """The page as text, byte for byte: invalid UTF-8 is an error, and no line end is translated."""
    with sys.stdin.buffer if path == "-" else open(path, "rb") as page:
        return page.read().decode("utf-8")


def check(page, families_of):
    """The families of a page, after the rules that the parsers do not look at."""
    if page.startswith("\ufeff"):
        raise ValueError("the page begins with a byte order mark")
    if page and not page.endswith("\n"):
        raise ValueError("the last line has no end")
    families = list(families_of(io.StringIO(page, newline="\n")))
    series = {(sample.name, frozenset(sample.labels.items())) for family in families for sample in family.samples}
    samples = sum(1 for line in page.split("\n") if line and not line.startswith("#"))
    if len(series) != samples:  # one of the parsers drops what it has seen before
        raise ValueError("a series occurs twice")
    return len(families), samples


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--text", action="store_true", help="Prometheus text 0.0.4 instead of OpenMetrics 1.0")
    arguments.add_argument("files", nargs="*", default=["-"], metavar="FILE")
    given = arguments.parse_args()
    families_of = (parser if given.text else openmetrics.parser).text_fd_to_metric_families

    failed = False
    for path in given.files:
        try:
            families, samples = check(read(path), families_of)
            print(f"{path}: {families} families, {samples} samples")
        except Exception as error:  # the parsers raise whatever they stumble over
            failed = True
            print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)
    sys.exit(failed)


if __name__ == "__main__":
    main()
