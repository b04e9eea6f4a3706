"""How much work something is, which no machine and no neighbour changes."""

import sys
from contextlib import contextmanager


@contextmanager
def at_most(most):
    """Fails where more functions are called inside; gives one that says how many were."""
    made = 0

    def count(_frame, event, _argument):
        nonlocal made
        made += event in ("call", "c_call")
        if made > most:
            sys.setprofile(None)
            raise AssertionError(f"more than {most:,} calls")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield lambda: made
    finally:
        sys.setprofile(before)
