#!/usr/bin/env python3
"""Turns what `tmux capture-pane -e -p` prints into an SVG picture: standard input to standard output.

Knows the escapes of colours and bold, and any background as the one of a cursor; other escapes are left out.
"""

import html
import re
import sys

CELL_WIDTH, CELL_HEIGHT, MARGIN = 8.43, 18, 14
BACK, FORE, CURSOR = "#16181d", "#d4d7dd", "#333842"
COLOURS = {
    30: "#16181d", 31: "#f07178", 32: "#7fd88f", 33: "#e6c07b", 34: "#61afef", 35: "#c678dd", 36: "#56c8d8", 37: "#d4d7dd",
    90: "#7d8590", 91: "#f07178", 92: "#7fd88f", 93: "#e6c07b", 94: "#61afef", 95: "#c678dd", 96: "#56c8d8", 97: "#ffffff",
}


def runs(line, style):
    """The pieces of a line as (text, colour, is bold, colour behind); `style` goes on from line to line."""
    for escape, text in re.findall(r"\x1b\[([0-9;]*)m|([^\x1b]+)", line):
        if text:
            yield text, style["colour"], style["bold"], style["behind"]
            continue
        codes = [int(code or 0) for code in escape.split(";")]
        while codes:
            code = codes.pop(0)
            if code == 0:
                style.update(colour=FORE, bold=False, behind=None)
            elif code == 1:
                style["bold"] = True
            elif code == 49:
                style["behind"] = None
            elif code == 48 and codes[:1] == [5]:
                style["behind"] = CURSOR
                codes = codes[2:]
            elif code == 39:
                style["colour"] = FORE
            elif code in COLOURS:
                style["colour"] = COLOURS[code]
            elif code == 38 and codes[:1] == [5]:
                palette = [*range(30, 38), *range(90, 98)]
                style["colour"] = COLOURS[palette[codes[1]]] if codes[1] < 16 else FORE
                codes = codes[2:]


def main():
    screen = sys.stdin.read().rstrip("\n").split("\n")
    columns = max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in screen)
    width, height = columns * CELL_WIDTH + 2 * MARGIN, len(screen) * CELL_HEIGHT + 2 * MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}">')
    print(f'<rect width="100%" height="100%" rx="8" fill="{BACK}"/>')
    print('<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="14" xml:space="preserve">')
    style = {"colour": FORE, "bold": False, "behind": None}
    for row, line in enumerate(screen):
        column = 0
        for text, colour, bold, behind in runs(line, style):
            x, y = MARGIN + column * CELL_WIDTH, MARGIN + row * CELL_HEIGHT
            column += len(text)
            if behind:
                print(f'<rect x="{x:.1f}" y="{y}" width="{len(text) * CELL_WIDTH:.1f}" height="{CELL_HEIGHT}" fill="{behind}"/>')
            if text.strip():
                weight = ' font-weight="bold"' if bold else ""
                length = f'textLength="{len(text) * CELL_WIDTH:.1f}" lengthAdjust="spacingAndGlyphs"'
                print(f'<text x="{x:.1f}" y="{y + 14}" fill="{colour}"{weight} {length}>{html.escape(text)}</text>')
    print("</g></svg>")


if __name__ == "__main__":
    main()
