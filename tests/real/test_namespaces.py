"""Real faults of a network: a switch that passes nothing, a router that drops one transport."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from command_line import gossamer
from namespaces import HOSTS, ROUTED, Switch, inside, two_hosts, two_networks, unavailable
from processes import RunningPeer, eventually

_REASON = unavailable()
pytestmark = [
    pytest.mark.namespaces,
    pytest.mark.processes,
    pytest.mark.skipif(_REASON is not None, reason=str(_REASON)),
]


class Hosts:
    """Two namespaces, the peers in them, and the switch between them."""

    def __init__(self, names: tuple[str, str], switch: Switch, peers: list[list[RunningPeer]]):
        self.names = names
        self.switch = switch
        self.peers = peers

    def on(self, side: int, call: Callable[[], Any]) -> Any:
        """Return what `call` returns on one of the hosts."""
        return inside(self.names[side], call)

    def everywhere(self, check: Callable[[RunningPeer], bool]) -> bool:
        """Whether `check` holds at every peer of both hosts."""
        return all(self.on_all(side, check) for side in (0, 1))

    def on_all(self, side: int, check: Callable[[RunningPeer], bool]) -> bool:
        """Whether `check` holds at every peer of one host."""
        return bool(self.on(side, lambda: all(check(peer) for peer in self.peers[side])))

    def sees(self, side: int, *, alive: int) -> bool:
        """Whether every peer of a host counts so many living members."""
        peers = self.peers[side]
        counts = self.on(side, lambda: {len(peer.members("alive")) for peer in peers})
        return bool(counts == {alive})


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    """Two hosts with two and three peers that form one mesh."""
    with two_hosts() as (names, switch), ExitStack() as stack:
        peers: list[list[RunningPeer]] = [[], []]
        for side, count in ((0, 2), (1, 3)):
            for number in range(count):
                flags = [
                    "--bind",
                    f"0.0.0.0:{7940 + number}",
                    "--http",
                    f"127.0.0.1:{8761 + number}",
                ]
                if (side, number) != (0, 0):
                    flags += ["--join", f"{HOSTS[0]}:7940"]
                else:
                    flags += ["--advertise", f"{HOSTS[0]}:7940"]
                prefix = ("ip", "netns", "exec", names[side])
                peer = RunningPeer(tmp_path, f"host{side}-{number}", *flags, prefix=prefix)
                stack.callback(peer.kill)
                peers[side].append(peer)
        found = Hosts(names, switch, peers)
        eventually(lambda: found.everywhere(lambda p: len(p.members("alive")) == 5), 30)
        yield found


def test_a_partition_heals_by_itself(hosts: Hosts) -> None:
    """Both halves answer during a cut, and afterwards show what either side registered."""
    left, right = hosts.peers[0][0], hosts.peers[1][0]
    hosts.on(0, lambda: left.register("orders", "left-before"))
    hosts.on(1, lambda: right.register("orders", "right-before"))
    before = {"left-before", "right-before"}
    eventually(lambda: hosts.everywhere(lambda p: p.lookup("orders") == before), 10)

    hosts.switch.cut()

    hosts.on(0, lambda: left.register("orders", "left-during"))
    hosts.on(1, lambda: right.register("orders", "right-during"))

    def each_half_sees_the_other_as_gone() -> bool:
        # A lookup is answered at every peer all the while, with what its own half registered.
        assert hosts.everywhere(lambda p: bool(p.lookup("orders")))
        return hosts.sees(0, alive=2) and hosts.sees(1, alive=3)

    eventually(each_half_sees_the_other_as_gone, 90, pause=0.2)
    assert hosts.on(0, lambda: "left-during" in hosts.peers[0][1].lookup("orders"))
    assert hosts.on(1, lambda: "right-during" in hosts.peers[1][2].lookup("orders"))
    assert hosts.on(1, lambda: "left-during" not in right.lookup("orders"))

    hosts.switch.heal()

    after = before | {"left-during", "right-during"}
    eventually(lambda: hosts.everywhere(lambda p: p.lookup("orders") == after), 30)
    eventually(lambda: hosts.everywhere(lambda p: len(p.members("alive")) == 5), 30)


@pytest.mark.parametrize(("transport", "path"), [("udp", "udp blocked"), ("tcp", "tcp blocked")])
def test_a_blocked_transport_is_named_and_nobody_dies(
    tmp_path: Path, transport: str, path: str
) -> None:
    """Both sides name each other and the transport, in info, members and log; it ends by itself."""
    settings = tmp_path / "gossamer.toml"
    settings.write_text(
        "[protocol]\nprobe_interval = 0.2\nprobe_timeout = 0.1\ngossip_interval = 0.1\n"
    )
    with two_networks() as (names, router), ExitStack() as stack:
        peers = []
        for side, host in enumerate(ROUTED):
            peer = RunningPeer(
                tmp_path,
                f"host{side}",
                *("--config", str(settings), "--bind", "0.0.0.0:7940", "--http", "127.0.0.1:8761"),
                *("--advertise", f"{host}:7940", "--join", f"{ROUTED[1 - side]}:7940"),
                prefix=("ip", "netns", "exec", names[side]),
            )
            stack.callback(peer.kill)
            peers.append(peer)

        def both(check: Callable[[RunningPeer], bool]) -> bool:
            return all(
                inside(name, partial(check, peer)) for name, peer in zip(names, peers, strict=True)
            )

        def is_well(peer: RunningPeer) -> bool:
            return len(peer.members("alive")) == 2 and not peer.info()["degraded"]

        def is_named(peer: RunningPeer) -> bool:
            info = peer.info()
            assert not peer.members("dead", "left")
            return info["degraded"] and list(info["paths"].values()) == [path]

        eventually(lambda: both(is_well), 30)
        router.block(transport)
        eventually(lambda: both(is_named), 120, pause=0.2)
        # What is registered meanwhile travels by whichever transport is left.
        inside(names[0], lambda: peers[0].register("orders", "meanwhile"))
        eventually(lambda: both(lambda peer: peer.lookup("orders") == {"meanwhile"}), 60)
        shown = inside(names[0], lambda: gossamer("members", http=peers[0].http))
        assert [path in line for line in shown.out.splitlines()] == [False, False, True]
        assert (
            f"degraded: host1 is alive, but {path} between it and this peer"
            in peers[0].log.read_text()
        )

        router.unblock(transport)
        eventually(lambda: both(is_well), 120, pause=0.2)
        assert "UDP and TCP reach host1 again" in peers[0].log.read_text()
        for peer in peers:
            assert "declared dead" not in peer.log.read_text()
