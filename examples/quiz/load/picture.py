"""The report's picture: bars, as SVG. It computes nothing but lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

_WIDTH, _LABELS, _VALUES = 820, 270, 90
_BAR, _GAP, _HEAD, _MARGIN = 16, 6, 34, 14
_COLOURS: Final = {"off": "#b9533f", "on": "#2f6f8f"}


@dataclass(frozen=True)
class Bar:
    label: str
    value: float
    text: str
    is_cached: bool


@dataclass(frozen=True)
class Panel:
    title: str
    bars: Sequence[Bar]


def svg(panels: Sequence[Panel]) -> str:
    parts: list[str] = []
    top = _MARGIN
    for panel in panels:
        parts.append(f'<text x="{_MARGIN}" y="{top + 16}" class="title">{escape(panel.title)}</text>')
        top += _HEAD
        longest = max((bar.value for bar in panel.bars), default=0) or 1
        for bar in panel.bars:
            parts.append(_bar(bar, top, longest))
            top += _BAR + _GAP
        top += _MARGIN
    style = "text{font:12px sans-serif;fill:#222}.title{font-weight:bold;font-size:14px}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{top}" viewBox="0 0 {_WIDTH} {top}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>{"".join(parts)}</svg>\n'
    )


def _bar(bar: Bar, top: int, longest: float) -> str:
    length = max(1.0, bar.value / longest * (_WIDTH - _LABELS - _VALUES - 2 * _MARGIN))
    colour = _COLOURS["on" if bar.is_cached else "off"]
    middle = top + _BAR - 4
    left = _LABELS + _MARGIN
    return (
        f'<text x="{left - 8}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>'
        f'<rect x="{left}" y="{top}" width="{length:.1f}" height="{_BAR}" fill="{colour}"/>'
        f'<text x="{left + length + 6:.1f}" y="{middle}">{escape(bar.text)}</text>'
    )
