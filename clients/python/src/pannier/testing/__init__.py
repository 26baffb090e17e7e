"""For tests of what uses the cache: a sidecar of the process's own, with no socket, no process and a clock to move.

from pannier.testing import FakeCache

with FakeCache() as fake:
    assert get_quiz(1) == get_quiz(1)
    fake.advance("11m")

And a real one for those that want it, `SidecarProcess`.
"""

from ._fake import FakeCache
from ._process import SidecarProcess

__all__ = ["FakeCache", "SidecarProcess"]
