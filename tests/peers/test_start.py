"""Starting a peer: which address it tells others, and what keeps it from starting."""

import logging
import random
import socket
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock
from whole_peers import PORT, open_town, schedule_by_seed, until, wall

from gossamer.gossip import Address
from gossamer.peers import ConfigError, PeerConfig, open_peer
from gossamer.peers._fronts import FRONTS
from gossamer.peers.catalog import Catalog, Kind, Metric, Statistic
from gossamer.peers.network import find_advertised


@pytest.fixture(autouse=True)
def _scheduling(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule_by_seed(monkeypatch, 1)


class Roads:
    """A network of which only the routing table is asked."""

    def __init__(self, **sources: str) -> None:
        self._sources = sources

    async def source_for(self, target: Address) -> str:
        if target[0].startswith("127."):
            return "127.0.0.1"
        family = "six" if ":" in target[0] else "four"
        if family not in self._sources:
            raise OSError("no route")
        return self._sources[family]

    async def resolve(self, host: str, port: int) -> list[Address]:
        if host != "here":
            raise OSError("no such name")
        return [("fd00::5", port), ("10.0.0.5", port)]


@pytest.mark.parametrize(
    ("advertise", "bound", "seeds", "expected"),
    [
        (None, ("10.0.0.1", 7940), [], ("10.0.0.1", 7940)),
        (None, ("127.0.0.1", 7940), [("127.0.0.1", 7941)], ("127.0.0.1", 7940)),
        (None, ("0.0.0.0", 7940), [("127.0.0.1", 7941)], ("127.0.0.1", 7940)),
        (None, ("0.0.0.0", 7940), [("10.0.0.9", 7940)], ("10.0.0.3", 7940)),
        # A seed elsewhere tells more than one on the same host.
        (None, ("0.0.0.0", 7940), [("127.0.0.1", 1), ("10.0.0.9", 7940)], ("10.0.0.3", 7940)),
        (None, ("0.0.0.0", 7940), [], ("10.0.0.3", 7940)),
        (None, ("::", 7940), [("fd00::9", 7940)], ("fd00::3", 7940)),
        ("10.9.9.9:1", ("0.0.0.0", 7940), [], ("10.9.9.9", 1)),
        ("10.9.9.9:0", ("0.0.0.0", 7940), [], ("10.9.9.9", 7940)),
        ("[::ffff:10.9.9.9]:0", ("0.0.0.0", 7940), [], ("10.9.9.9", 7940)),
        ("here:0", ("0.0.0.0", 7940), [], ("10.0.0.5", 7940)),
        ("here:0", ("::", 7940), [], ("fd00::5", 7940)),
    ],
)
async def test_the_advertised_address(
    advertise: str | None, bound: Address, seeds: list[Address], expected: Address
) -> None:
    """What is said wins, then what is bound, then the route to a seed, then that to anywhere."""
    network = Roads(four="10.0.0.3", six="fd00::3")
    config = PeerConfig(name="a", advertise=advertise)

    assert await find_advertised(config, network, bound, seeds) == expected  # type: ignore[arg-type]


async def test_a_host_without_a_network_advertises_loopback() -> None:
    """A laptop on a train can still try a mesh on itself."""
    config = PeerConfig(name="a")

    for bound, expected in (("0.0.0.0", "127.0.0.1"), ("::", "::1")):
        found = await find_advertised(config, Roads(), (bound, 1), [])  # type: ignore[arg-type]
        assert found == (expected, 1)


@pytest.mark.parametrize(
    ("advertise", "bound"), [(None, "127.0.0.1"), ("127.0.0.1:1", "0.0.0.0"), (None, "0.0.0.0")]
)
async def test_loopback_is_refused_when_a_seed_is_elsewhere(
    advertise: str | None, bound: str
) -> None:
    """Others would be told an address that leads back to themselves."""
    config = PeerConfig(name="a", advertise=advertise)

    with pytest.raises(ConfigError, match="the setting advertise or the setting bind") as caught:
        await find_advertised(config, Roads(), (bound, 1), [("10.0.0.9", 7940)])  # type: ignore[arg-type]

    assert caught.value.field == "advertise"


async def test_an_advertised_name_must_resolve() -> None:
    """The name is looked up once, at the start."""
    with pytest.raises(ConfigError, match="does not resolve"):
        await find_advertised(
            PeerConfig(name="a", advertise="nosuch:1"),
            Roads(),  # type: ignore[arg-type]
            ("0.0.0.0", 1),
            [],
        )


async def test_a_taken_port_is_a_bare_error_with_its_remedy(autojump_clock: MockClock) -> None:
    """Callers catch one class, and no exception group around it."""
    async with open_town() as town:
        await town.start(1)
        config = PeerConfig(name="b", bind=f"10.0.0.1:{PORT}")

        with pytest.raises(ConfigError) as caught:
            async with open_peer(config, network=town.network.host("10.0.0.1"), wall=wall):
                raise AssertionError("it must not start")

        assert caught.value.field == "bind"
        assert (
            str(caught.value)
            == "port 7940 is taken on 10.0.0.1: choose another with the setting bind"
        )


async def test_a_bind_address_of_another_host_is_refused(autojump_clock: MockClock) -> None:
    """A mistyped address is not called a taken port."""
    async with open_town() as town:
        config = PeerConfig(name="b", bind=f"10.9.9.9:{PORT}")

        with pytest.raises(ConfigError, match="not an address of this host"):
            async with open_peer(config, network=town.network.host("10.0.0.1"), wall=wall):
                pass


async def test_seeds_of_which_none_resolves_are_refused(autojump_clock: MockClock) -> None:
    """A mistyped seed must not make a mesh of one; the port is free again afterwards."""
    async with open_town() as town:
        network = town.network.host("10.0.0.1")
        config = PeerConfig(name="b", bind=f"10.0.0.1:{PORT}", join=["nosuch.invalid:7940"])

        with pytest.raises(ConfigError, match=r"nosuch\.invalid:7940 does not resolve") as caught:
            async with open_peer(config, network=network, wall=wall):
                pass

        assert caught.value.field == "join"
        await (await network.bind("10.0.0.1", PORT)).aclose()


async def test_a_name_service_that_hangs_does_not_hold_up_other_seeds(
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Names are looked up side by side, each for a few seconds at most."""
    async with open_town() as town:
        host = town.network.host("10.0.0.2")
        resolve = host.resolve

        async def hang(name: str, port: int) -> list[Address]:
            if name.startswith("slow"):
                await trio.sleep_forever()
            return await resolve(name, port)

        monkeypatch.setattr(host, "resolve", hang)
        town.network.name("good.example", "10.0.0.1")
        began = trio.current_time()

        with caplog.at_level(logging.WARNING, "gossamer"):
            peer = await town.start(2, join=("slow1:1", "good.example:7940", "slow2:1"))

        assert trio.current_time() - began < 6
        assert peer.info()["seeds"] == ["10.0.0.1:7940"]
        assert "slow1:1 does not resolve" in caplog.text


async def test_a_taken_http_port_is_a_bare_error_and_nothing_is_announced(
    autojump_clock: MockClock,
) -> None:
    """HTTP is bound before the mesh hears of the peer; the gossip port is free again afterwards."""
    async with open_town() as town:
        first = await town.start(1)
        network = town.network.host("10.0.0.2")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            http = f"127.0.0.1:{taken.getsockname()[1]}"
            config = PeerConfig(
                name="b", bind=f"10.0.0.2:{PORT}", join=[f"10.0.0.1:{PORT}"], http=http
            )
            with pytest.raises(ConfigError, match="choose another with the setting http") as caught:
                async with open_peer(config, network=network, wall=wall):
                    raise AssertionError("it must not start")

        assert caught.value.field == "http"
        await trio.sleep(5)
        assert [member.name for member in first.members()] == ["p1"]
        await (await network.bind("10.0.0.2", PORT)).aclose()


async def test_several_addresses_serve_one_front(autojump_clock: MockClock) -> None:
    """Each is told, in the order given; the first is what `http_address` always was."""
    async with open_town() as town:
        peer = await town.start(1, http=["127.0.0.1:0", "127.0.0.1:0"])

        assert list(peer.addresses) == ["http"]
        first, second = peer.addresses["http"]
        assert first[1] != second[1]
        assert peer.http_address == first
        info = peer.info()
        assert info["http_address"] == f"127.0.0.1:{first[1]}"
        assert info["addresses"] == {"http": [f"127.0.0.1:{first[1]}", f"127.0.0.1:{second[1]}"]}
        other = await town.start(2)
        assert (other.addresses, other.http_address) == ({}, None)
        assert other.info()["http_address"] is None


async def test_both_families_can_be_served_at_one_port(autojump_clock: MockClock) -> None:
    """A front's `::` takes IPv6 alone: `0.0.0.0` beside it is an address of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with open_town() as town:
        peer = await town.start(1, http=[f"0.0.0.0:{port}", f"[::]:{port}"])
        assert peer.addresses["http"] == (("0.0.0.0", port), ("::", port))


async def test_one_of_several_addresses_that_is_taken_ends_the_start(
    autojump_clock: MockClock,
) -> None:
    """The error names the front and the address; what was bound before is free again."""
    async with open_town() as town:
        network = town.network.host("10.0.0.2")
        with socket.socket() as taken, socket.socket() as free:
            for each in (taken, free):
                each.bind(("127.0.0.1", 0))
            taken.listen()
            ports = [each.getsockname()[1] for each in (free, taken)]
            free.close()
            config = PeerConfig(
                name="b", bind=f"10.0.0.2:{PORT}", http=[f"127.0.0.1:{port}" for port in ports]
            )
            with pytest.raises(
                ConfigError, match=f"port {ports[1]} is taken.*the setting http"
            ) as caught:
                async with open_peer(config, network=network, wall=wall):
                    raise AssertionError("it must not start")
            with socket.create_server(("127.0.0.1", ports[0])):
                pass

        assert caught.value.field == "http"


class TellsServices:
    """A front of its own kind: it writes the names of all services to each client."""

    name = "tell"

    def __init__(self) -> None:
        self._told = 0

    async def serve(
        self, catalog: Catalog, at: Address, *, task_status: trio.TaskStatus[Address]
    ) -> None:
        async def tell(stream: trio.SocketStream) -> None:
            self._told += 1
            await stream.send_all(" ".join(each.name for each in catalog.services()).encode())

        listeners = await trio.open_tcp_listeners(at[1], host=at[0])
        task_status.started(listeners[0].socket.getsockname()[:2])
        await trio.serve_listeners(tell, listeners)

    def metrics(self) -> list[Metric]:
        statistic = Statistic(
            "tell_connections",
            "gossamer_tell_connections_total",
            Kind.COUNTER,
            "connections",
            "Connections that were told.",
        )
        return [Metric(statistic, self._told)]


async def test_a_front_of_another_kind_needs_one_line(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed under its name, it is configured, bound, shown and counted like HTTP."""
    monkeypatch.setitem(FRONTS, "tell", lambda peer: TellsServices())
    async with open_town() as town:
        peer = await town.start(1, serve={"tell": "127.0.0.1:0"}, http="127.0.0.1:0")
        peer.register("orders", port=1)
        (at,) = peer.addresses["tell"]

        async with await trio.open_tcp_stream(*at) as stream:
            said = await stream.receive_some()

        assert said == b"orders"
        assert peer.info()["addresses"] == {
            "http": [f"127.0.0.1:{peer.addresses['http'][0][1]}"],
            "tell": [f"127.0.0.1:{at[1]}"],
        }
        assert peer.statistics()["tell_connections"] == 1


@pytest.mark.parametrize(
    "settings", [{"dns": "127.0.0.1:5353"}, {"serve": {"dns": "127.0.0.1:5353"}}]
)
async def test_a_front_that_this_version_does_not_have_is_refused(
    settings: dict[str, Any], autojump_clock: MockClock
) -> None:
    """Before anything is bound, with the names of those that there are."""
    async with open_town() as town:
        network = town.network.host("10.0.0.1")
        config = PeerConfig(name="a", bind=f"10.0.0.1:{PORT}", **settings)
        taken = await network.bind("10.0.0.1", PORT)

        with pytest.raises(ConfigError, match=r"no front 'dns' in this version.*http") as caught:
            async with open_peer(config, network=network, wall=wall):
                raise AssertionError("it must not start")

        assert caught.value.field == "dns"
        await taken.aclose()


@pytest.mark.parametrize("turns", range(12))
async def test_a_start_that_is_cancelled_ends(autojump_clock: MockClock, turns: int) -> None:
    """Whenever cancellation comes, nothing hangs and the port is free again."""
    async with open_town() as town:
        network = town.network.host("10.0.0.1")
        config = PeerConfig(name="a", bind=f"10.0.0.1:{PORT}", http="127.0.0.1:0")

        async def cancel_soon(scope: trio.CancelScope) -> None:
            for _ in range(turns):
                await trio.lowlevel.checkpoint()
            scope.cancel()

        with trio.fail_after(10):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(cancel_soon, nursery.cancel_scope)
                async with open_peer(config, network=network, wall=wall):
                    await trio.Event().wait()

        await (await network.bind("10.0.0.1", PORT)).aclose()


async def test_the_epoch_grows_although_the_clock_was_set_back(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """With a data directory a restart is a later life, whatever the clock says."""
    async with open_town() as town:
        config = PeerConfig(name="a", bind="10.0.0.1:0", data_dir=tmp_path)
        epochs = []
        for clock in (2_000_000.0, 1_000_000.0, 3_000_000.0):
            async with open_peer(
                config,
                network=town.network.host("10.0.0.1"),
                wall=lambda clock=clock: clock,  # type: ignore[misc]
                rng=random.Random(1),
            ) as peer:
                epochs.append(peer.info()["epoch"])

        assert epochs == [2_000_000_000, 2_000_000_001, 3_000_000_000]


async def test_a_data_directory_in_use_is_refused(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """A second process on one data directory does not start, and leaves the first alone."""
    async with open_town() as town:
        await town.start(1, data_dir=tmp_path)

        with pytest.raises(ConfigError, match="in use"):
            async with open_peer(
                PeerConfig(name="p1", bind="10.0.0.2:0", data_dir=tmp_path),
                network=town.network.host("10.0.0.2"),
                wall=wall,
            ):
                pass


async def test_two_processes_with_one_name_are_reported(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A copied configuration is told loudly, in the log and in what the peer says of itself."""
    async with open_town() as town:
        first = await town.start(1)
        await trio.sleep(1)
        twin = await town.start(2, name="p1")

        await until(lambda: first.info()["conflict"] or twin.info()["conflict"], 20)

        assert any(record.levelno == logging.ERROR for record in caplog.records)
