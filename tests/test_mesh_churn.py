"""Peers that come and go without end, around a core that stays."""

import os

from visitors import come_and_go

ROUNDS = 100_000 if "GOSSAMER_SOAK" in os.environ else 600


def test_what_is_kept_does_not_grow_with_who_has_gone() -> None:
    """Half of the visitors leave and half die; sizes in the second half are those of the first."""
    come_and_go(9, ROUNDS)
