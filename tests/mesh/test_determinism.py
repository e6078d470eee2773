"""One seed is one run."""

import os
import subprocess
import sys

import pytest

from gossamer.simulations import Duplication, Loss, Mesh, UniformLatency


def _story(seed: int) -> Mesh:
    """A bit of everything: joins, loss, a cut, a crash, a pause, large records, a leave."""
    mesh = Mesh(seed, latency=UniformLatency(0.0002, 0.01))
    mesh.add_peers(12, apart=0.1)
    mesh.fabric.add(Loss(0.05))
    mesh.fabric.add(Duplication(0.05))
    peers = list(mesh)
    for number, peer in enumerate(peers):
        peer.publish(f"k{number}", bytes(number * 300))
        mesh.run_for(0.1)
    with mesh.cut(peers[:5], peers[5:]):
        mesh.run_for(10.0)
        peers[2].crash()
        peers[7].pause()
        mesh.run_for(15.0)
    peers[7].resume()
    peers[2].restart()
    peers[9].leave()
    mesh.run_for(10.0)
    return mesh


@pytest.mark.parametrize("seed", range(3))
def test_the_same_seed_gives_the_same_digest(seed: int) -> None:
    """Two runs of one seed deliver the same bytes at the same times; another seed does not."""
    first, second = _story(seed), _story(seed)

    assert first.digest == second.digest
    assert first.fabric.statistics() == second.fabric.statistics()
    assert first.digest != _story(seed + 1).digest


def test_the_order_of_hashes_does_not_matter() -> None:
    """Under different PYTHONHASHSEEDs a seed gives the same digest."""
    code = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r})\n"  # noqa: PTH120
    code += "from test_determinism import _story\nprint(_story(11).digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for hash_seed in ("0", "1", "4711")
    }
    assert digests == {_story(11).digest + "\n"}


def test_a_mesh_without_a_trace_has_no_digest() -> None:
    """Without a trace, `digest` raises an error that names the setting."""
    mesh = Mesh(1, trace=False, keep_history=False)
    mesh.add_peers(3)
    mesh.run_for(2.0)
    assert mesh.complete()
    assert mesh.events() == []
    with pytest.raises(RuntimeError, match="trace=True"):
        mesh.digest  # noqa: B018
