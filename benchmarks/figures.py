"""Prints each figure with its bound beside it, and remembers which of them missed. It measures nothing."""

from __future__ import annotations


class Figures:
    """What one command has printed so far."""

    def __init__(self) -> None:
        self._misses: list[str] = []

    def heading(self, title: str, note: str = "") -> None:
        print(f"\n{title}\n{'-' * len(title)}", flush=True)
        if note:
            self.note(note)

    def note(self, text: str) -> None:
        print(text, flush=True)

    def figure(self, name: str, value: float, bound: float | None = None, unit: str = "", more: str = "") -> None:
        """A figure, which must not be above `bound`. Without one it is printed for scale."""
        line = f"{name:<52} {shown(value):>11} {unit:<7}"
        if bound is None:
            line += " " * 22
        else:
            kept = value <= bound
            line += f" bound {shown(bound):>9} {'kept' if kept else 'MISS':<5}"
            if not kept:
                self._misses.append(f"{name}: {shown(value)} {unit} (bound {shown(bound)})")
        print(f"{line} {more}".rstrip(), flush=True)

    def check(self, name: str, good: bool, detail: str) -> None:
        """Something that must be so."""
        print(f"{name:<52} {detail} {'' if good else ' MISS'}".rstrip(), flush=True)
        if not good:
            self._misses.append(f"{name}: {detail}")

    def require(self, name: str, good: bool, detail: str) -> None:
        """Something that must be so, and is printed elsewhere."""
        if not good:
            self._misses.append(f"{name}: {detail}")

    def conclude(self) -> int:
        """The exit status of the command."""
        if not self._misses:
            print("\nEvery bound was kept.")
            return 0
        print(f"\n{len(self._misses)} missed:")
        for miss in self._misses:
            print(f"  {miss}")
        return 1


def shown(value: float) -> str:
    """Thousands apart, and three digits at least."""
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def quantile(values: list[float], share: float) -> float:
    """The least of `values` that at least `share` of them don't exceed."""
    ordered = sorted(values)
    return ordered[max(0, min(len(ordered) - 1, -int(-share * len(ordered) // 1) - 1))]
