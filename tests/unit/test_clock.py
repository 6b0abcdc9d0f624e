"""Times as they are written, and read again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offduty.clock import rfc3339, wall_of


@given(st.integers(0, 250_000_000_000_000))
@settings(deadline=None)
def test_a_time_that_was_written_is_read_again(milliseconds):
    """To the millisecond, from 1970 for 8 000 years."""
    assert wall_of(rfc3339(milliseconds / 1000 + 0.0001)) == milliseconds / 1000


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01T00:00:00.000Z"])
def test_what_is_no_time_is_refused(text):
    """Whoever reads times of others knows what comes."""
    with pytest.raises(ValueError, match=r"isoformat|month must be"):
        wall_of(text)
