"""How the sidecar spells strings and times in its answers. It knows no answers."""

from __future__ import annotations

from typing import Final

_ESCAPES: Final = {
    **{code: f"\\u{code:04x}" for code in range(0x20)},
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    ord('"'): '\\"',
    ord("\\"): "\\\\",
}


def quoted_text(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def quoted_list(texts: list[str]) -> str:
    return f"[{','.join(map(quoted_text, texts))}]"


def seconds_text(milliseconds: int) -> str:
    """`300`, `4.5`, `0.001`."""
    whole, rest = divmod(abs(milliseconds), 1000)
    text = f"{'-' if milliseconds < 0 else ''}{whole}"
    return f"{text}.{rest:03d}".rstrip("0") if rest else text
