"""Hypothesis does to a mesh what may befall it, and every invariant is checked after each step."""

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from world import World, live_through

SOAK = "GOSSAMER_SOAK" in os.environ
_who = st.integers(0, 7)
_which = st.integers(0, 30)
_masks = st.integers(1, 254)


class MeshMachine(RuleBasedStateMachine):
    """A mesh of two to eight peers, with keys or without, some of them of the next version."""

    world: World

    @initialize(
        seed=st.integers(0, 1 << 16),
        count=st.integers(2, 8),
        keyed=st.booleans(),
        later=st.integers(0, 255),
    )
    def begin(self, seed: int, count: int, keyed: bool, later: int) -> None:
        """Let so many peers run that know one another."""
        self.world = World(seed, count, keyed=keyed, later=later)

    @rule(who=_who)
    def register(self, who: int) -> None:
        """See `World`, as for all that follow."""
        self.world.register(who)

    @rule(who=_who, which=_which)
    def change(self, who: int, which: int) -> None:
        self.world.change(who, which)

    @rule(who=_who, which=_which)
    def deregister(self, who: int, which: int) -> None:
        self.world.deregister(who, which)

    @rule(who=_who, which=_which)
    def override(self, who: int, which: int) -> None:
        self.world.override(who, which)

    @rule(who=_who, which=_which)
    def clear(self, who: int, which: int) -> None:
        self.world.clear(who, which)

    @rule(who=_who, which=_which)
    def report(self, who: int, which: int) -> None:
        self.world.report(who, which)

    @rule(who=_who)
    def lease(self, who: int) -> None:
        self.world.lease(who)

    @rule(who=_who, which=_which)
    def heartbeat(self, who: int, which: int) -> None:
        self.world.heartbeat(who, which)

    @rule(mask=_masks)
    def cut(self, mask: int) -> None:
        self.world.cut(mask)

    @rule(mask=_masks)
    def cut_one_way(self, mask: int) -> None:
        self.world.cut_one_way(mask)

    @rule(kind=st.integers(0, 4), percent=st.integers(1, 49))
    def disturb(self, kind: int, percent: int) -> None:
        self.world.disturb(kind, percent)

    @rule()
    def heal(self) -> None:
        self.world.heal()

    @rule(who=_who)
    def pause(self, who: int) -> None:
        self.world.pause(who)

    @rule(who=_who)
    def resume(self, who: int) -> None:
        self.world.resume(who)

    @rule(who=_who, hundredths=st.integers(0, 19))
    def slow(self, who: int, hundredths: int) -> None:
        self.world.slow(who, hundredths)

    @rule(who=_who)
    def speed_up(self, who: int) -> None:
        self.world.speed_up(who)

    @rule(who=_who, host=st.booleans())
    def crash(self, who: int, host: bool) -> None:
        self.world.crash(who, host=host)

    @rule(who=_who)
    def leave(self, who: int) -> None:
        self.world.leave(who)

    @rule(who=_who, keep_epoch=st.booleans())
    def start(self, who: int, keep_epoch: bool) -> None:
        self.world.start(who, keep_epoch=keep_epoch)

    @rule(who=_who)
    def upgrade(self, who: int) -> None:
        self.world.upgrade(who)

    @rule(who=_who)
    def tell(self, who: int) -> None:
        self.world.tell(who)

    @rule(who=_who, hours=st.integers(0, 2))
    def skew(self, who: int, hours: int) -> None:
        self.world.skew(who, hours)

    @rule(tenths=st.integers(0, 99))
    def wait(self, tenths: int) -> None:
        self.world.wait(tenths)

    @rule(minutes=st.integers(0, 4))
    def wait_long(self, minutes: int) -> None:
        self.world.wait_long(minutes)

    @rule()
    def settle(self) -> None:
        """Have all faults end in the midst of it, too."""
        self.world.settle()

    @invariant()
    def holds(self) -> None:
        """Every invariant, after every step."""
        self.world.check()

    def teardown(self) -> None:
        """In the end all is quiet, and what should be there is there."""
        if hasattr(self, "world"):
            self.world.settle()


TestMeshMachine = MeshMachine.TestCase
TestMeshMachine.settings = settings(
    max_examples=2000 if SOAK else 40,
    stateful_step_count=80 if SOAK else 30,
    derandomize=not SOAK,
    deadline=None,
)


@pytest.mark.parametrize("seed", range(40))
def test_sixty_things_that_befall_a_mesh(seed: int) -> None:
    """What a seed chooses happens; every invariant holds after each, and all is there in the end.

    `make soak` goes on with other seeds for half an hour.
    """
    rng = Random(seed)
    live_through(
        World(seed, rng.randint(4, 8), keyed=seed % 2 == 1, later=rng.getrandbits(8)), rng, 60
    )


def test_a_run_with_faults_is_the_same_under_every_hash_seed() -> None:
    """Trace, model and duration hang on the seed alone, not on the order of hashes."""
    program = (
        "from random import Random\n"
        "from world import World, live_through\n"
        "world = World(11, 6, keyed=True, later=22)\n"
        "took = live_through(world, Random(11), 60)\n"
        "print(world.mesh.digest, took, sorted(world.done.items()))\n"
    )
    support = str(Path(__file__).parents[1] / "support")
    said = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": support},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }

    assert len(said) == 1
    assert "registrations" in said.pop()
