"""The table and the picture of what was measured. It measures nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clients import Row

_WIDTH, _LABEL, _BAR, _GAP = 860, 300, 18, 6


def table(rows: list[Row]) -> str:
    lines = ["| | | µs a hit | times a bare socket |", "| --- | --- | ---: | ---: |"]
    for kind, named in _by_kind(rows).items():
        for row in named:
            name = f"**{row.name}**" if row.name.startswith("pannier") else row.name
            lines.append(f"| {kind} | {name} | {row.microseconds:.1f} | {row.ratio:.2f} |")
    return "\n".join(lines)


def picture(rows: list[Row], title: str) -> str:
    """Bars, as SVG; each group has its own heading, and all have one scale."""
    longest = max(row.ratio for row in rows)
    parts: list[str] = []
    place = 40
    for kind, named in _by_kind(rows).items():
        parts.append(f'<text x="8" y="{place + 14}" class="kind">{kind}</text>')
        place += 24
        for row in named:
            width = max(2.0, row.ratio / longest * (_WIDTH - _LABEL - 70))
            kind_of = "ours" if row.name.startswith("pannier") else "peer"
            parts.append(f'<text x="{_LABEL - 8}" y="{place + 14}" text-anchor="end">{row.name}</text>')
            parts.append(f'<rect x="{_LABEL}" y="{place}" width="{width:.0f}" height="{_BAR}" class="{kind_of}"/>')
            parts.append(f'<text x="{_LABEL + width + 6:.0f}" y="{place + 14}">{row.ratio:.1f}</text>')
            place += _BAR + _GAP
        place += 10
    style = "text{font:13px sans-serif;fill:#333}.kind{font-weight:bold}.ours{fill:#2a7d4f}.peer{fill:#9aa5b1}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{place}" viewBox="0 0 {_WIDTH} {place}">'
        f'<style>{style}</style><rect width="100%" height="100%" fill="#fff"/>'
        f'<text x="8" y="22" class="kind">{title}</text>{"".join(parts)}</svg>\n'
    )


def _by_kind(rows: list[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.kind, []).append(row)
    return {kind: sorted(named, key=lambda row: row.ratio) for kind, named in found.items()}
