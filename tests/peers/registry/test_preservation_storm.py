import random

import pytest

from gossamer.peers.model import RegistryConfig
from gossamer.peers.registry._preservation import Preservation


def step(preservation: Preservation, kind: float, name: str, now: float) -> None:
    if kind < 0.3:
        preservation.lived(name, now)
    elif kind < 0.55:
        preservation.suspected(name, now)
    elif kind < 0.85:
        preservation.failed(name, kind > 0.8, now)
    elif kind < 0.9:
        preservation.left(name, now)
    elif kind < 0.93:
        preservation.forgotten(name, now)
    elif kind < 0.94:
        preservation.accept_all(now)
    elif preservation.deadline <= now:
        preservation.tick(now)


@pytest.mark.parametrize("seed", range(150))
def test_judging_the_new_alone_is_judging_all(seed: int) -> None:
    """A verdict on those that just went missing is the one that looking at all would give."""
    rng = random.Random(seed)
    size = rng.choice([3, 5, 8, 20])
    config = RegistryConfig(
        preserve_window=rng.choice([0.0, 5.0, 60.0]),
        preserve_for=rng.choice([60.0, 100.0, 900.0]),
        preserve_settle=rng.choice([0.0, 2.0, 10.0]),
    )
    some, every = Preservation(config), Preservation(config)
    now = 0.0
    for _ in range(120):
        now += rng.choice([0, 0, 0.1, 0.5, 1, 3, 7, 30])
        kind, name = rng.random(), f"p{rng.randrange(size)}"
        step(some, kind, name, now)
        step(every, kind, name, now)
        some.judge()
        every.judge(anew=True)
        assert some.kept == every.kept, seed
        if some.deadline <= now:
            for preservation in (some, every):
                preservation.tick(now)
        some.judge()
        every.judge(anew=True)
        assert some.kept == every.kept, seed
        assert some.deadline <= every.deadline, seed
