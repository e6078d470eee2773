"""Whole peers, their real driver and registry, on a network in memory and a virtual clock."""

import random

import pytest
import trio
from trio.testing import MockClock
from whole_peers import (
    PORT,
    alive,
    all_see,
    ids,
    open_town,
    schedule_by_seed,
    status,
    until,
    wall,
)

from gossamer.peers import (
    BadInput,
    Conflict,
    NoInstanceError,
    NotFound,
    Peer,
    PeerConfig,
    Unavailable,
    open_peer,
)


@pytest.fixture(autouse=True)
def _scheduling(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule_by_seed(monkeypatch, 1)


async def test_five_peers_with_one_seed_see_each_other_within_two_seconds(
    autojump_clock: MockClock,
) -> None:
    """One seed is enough to meet all others."""
    async with open_town() as town:
        peers = [await town.start(number) for number in range(1, 6)]

        took = await until(lambda: all(alive(peer) == 5 for peer in peers), 10)

        assert took < 2
        for peer in peers:
            await peer.joined()
            assert len({each.info()["root"] for each in peers}) == 1


async def test_a_registration_reaches_all_within_a_tenth_of_a_second(
    autojump_clock: MockClock,
) -> None:
    """What is registered at one peer is looked up at each other within a blink."""
    async with open_town() as town:
        peers = await town.start_many(5)

        instance = peers[2].register("orders", port=8080, tags=["v2"])

        assert instance.address == "10.0.0.3"
        assert ids(peers[2], "orders") == [instance.id]
        assert await until(lambda: all_see(peers, "orders", instance.id), 5) < 0.1


async def test_a_deregistration_at_another_peer_reaches_all(autojump_clock: MockClock) -> None:
    """Any peer ends any instance."""
    async with open_town() as town:
        peers = await town.start_many(5)
        instance = peers[1].register("orders", port=8080)
        await until(lambda: all_see(peers, "orders", instance.id), 5)

        peers[4].deregister("orders", instance.id)

        assert ids(peers[4], "orders") == []
        assert await until(lambda: all_see(peers, "orders"), 5) < 0.1
        with pytest.raises(NotFound):
            peers[0].deregister("orders", instance.id)


async def test_an_override_set_anywhere_is_seen_everywhere(autojump_clock: MockClock) -> None:
    """A status set at a peer that is not the owner counts at all, until it is cleared."""
    async with open_town() as town:
        peers = await town.start_many(3)
        instance = peers[0].register("orders", port=8080)
        await until(lambda: all_see(peers, "orders", instance.id), 5)

        peers[2].set_status("orders", instance.id, "OUT_OF_SERVICE", reason="drill")
        assert await until(lambda: all_see(peers, "orders"), 5) < 0.1

        peers[1].clear_status("orders", instance.id)
        assert await until(lambda: all_see(peers, "orders", instance.id), 5) < 0.1


async def test_a_peer_that_leaves_is_known_to_have_left_within_300_ms(
    autojump_clock: MockClock,
) -> None:
    """A graceful leave takes the peer's own instances along at once, and accuses nobody."""
    async with open_town() as town:
        peers = await town.start_many(5)
        peers[4].register("orders", port=8080)
        rest = peers[:4]
        await until(lambda: all(ids(peer, "orders") for peer in rest), 5)

        peers[4].request_leave()
        took = await until(lambda: all_see(rest, "orders"), 5)

        assert took < 0.3
        await peers[4].left()
        assert {status(peer, "p5") for peer in rest} == {"left"}
        assert all(alive(peer) == 4 for peer in rest)


async def test_a_crashed_peer_is_found_dead_within_ten_seconds_and_nobody_else(
    autojump_clock: MockClock,
) -> None:
    """Its own instances leave every lookup, and the living stay."""
    async with open_town() as town:
        peers = await town.start_many(5)
        peers[4].register("orders", port=8080)
        rest = peers[:4]
        await until(lambda: all(ids(peer, "orders") for peer in rest), 5)

        peers[4].abort()
        await until(lambda: all_see(rest, "orders"), 10)

        assert {status(peer, "p5") for peer in rest} == {"dead"}
        assert all(alive(peer) == 4 for peer in rest)
        assert all(peer.statistics().get("refutations", 0) == 0 for peer in rest)


@pytest.mark.parametrize("ip", ["10.0.0.3", "10.0.9.9"])
async def test_a_restarted_peer_is_accepted_at_once(autojump_clock: MockClock, ip: str) -> None:
    """The name is the identity: a new life is welcome at the same address and at another."""
    async with open_town() as town:
        peers = await town.start_many(3)
        peers[2].abort()
        await peers[2].left()

        again = await town.start(3, ip=ip)
        again.register("orders", port=8080)
        everyone = [*peers[:2], again]

        assert await until(lambda: all(ids(peer, "orders") for peer in everyone), 5) < 2
        assert all(alive(peer) == 3 for peer in everyone)
        shown = next(member for member in peers[0].members() if member.name == "p3")
        assert shown.address == (ip, PORT)


async def test_twenty_peers_are_cut_in_two_and_heal_with_lookups_answered(
    autojump_clock: MockClock,
) -> None:
    """Both sides answer throughout, and what was registered meanwhile is soon known to all."""
    async with open_town() as town:
        peers = await town.start_many(20)
        first = peers[0].register("orders", port=1)
        last = peers[19].register("orders", port=2)
        await until(lambda: all_see(peers, "orders", first.id, last.id), 5)
        left, right = peers[:10], peers[10:]
        sides = [[peer.address[0] for peer in side] for side in (left, right)]

        with town.network.cut(*sides):
            for _ in range(60):
                await trio.sleep(1)
                assert all(first.id in ids(peer, "orders") for peer in left)
                assert all(last.id in ids(peer, "orders") for peer in right)
            third = left[3].register("payments", port=3)
            fourth = right[3].register("payments", port=4)
            await until(lambda: all_see(left, "payments", third.id), 5)
            await until(lambda: all_see(right, "payments", fourth.id), 5)

        await until(lambda: all_see(peers, "payments", third.id, fourth.id), 5)
        await until(lambda: all(alive(peer) == 20 for peer in peers), 30)
        await until(lambda: all_see(peers, "orders", first.id, last.id), 5)
        await until(lambda: len({peer.info()["root"] for peer in peers}) == 1, 30)


def test_the_same_seed_gives_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole peers on the virtual clock are as deterministic as the core alone."""

    async def live() -> list[object]:
        async with open_town(7) as town:
            peers = await town.start_many(6)
            peers[0].register("orders", port=1)
            peers[5].abort()
            await trio.sleep(12)
            counters = [sorted(peer.statistics().items()) for peer in peers[:5]]
            return [trio.current_time(), *(peer.info()["root"] for peer in peers), *counters]

    def run() -> list[object]:
        schedule_by_seed(monkeypatch, 7)
        return trio.run(live, clock=MockClock(autojump_threshold=0))

    assert run() == run()


async def test_a_leased_instance_ends_without_heartbeats(autojump_clock: MockClock) -> None:
    """A lease that is not renewed ends everywhere; one that is, stays."""
    async with open_town() as town:
        peers = await town.start_many(3)
        kept = peers[0].register("orders", port=1, ttl=5)
        lost = peers[0].register("orders", port=2, ttl=5)
        await until(lambda: all_see(peers, "orders", kept.id, lost.id), 5)

        for _ in range(4):
            await trio.sleep(2)
            peers[0].heartbeat("orders", kept.id)

        assert all_see(peers, "orders", kept.id)


async def test_replicated_waits_for_other_peers(autojump_clock: MockClock) -> None:
    """A registration can be waited for until others hold it; alone, one waits."""
    async with open_town() as town:
        first = await town.start(1)
        instance = first.register("orders", port=1)
        with trio.move_on_after(5) as scope:
            await first.replicated(instance, peers=2)
        assert scope.cancelled_caught

        others = [await town.start(number) for number in (2, 3)]
        with trio.fail_after(5):
            holders = await first.replicated(instance, peers=2)

        assert sorted(holders) == ["p2", "p3"]
        assert all(ids(peer, "orders") for peer in others)
        await until(lambda: ids(others[0], "orders"), 1)
        with pytest.raises(Conflict):
            await others[0].replicated(others[0].lookup("orders")[0])
        with pytest.raises(BadInput):
            await first.replicated(instance, peers=0)


async def test_wait_for_returns_as_soon_as_there_are_enough(autojump_clock: MockClock) -> None:
    """Waiting ends with the instance that completes the count, wherever it is registered."""
    async with open_town() as town:
        peers = await town.start_many(2)
        found: list[int] = []

        async def wait() -> None:
            found.append(len(await peers[0].wait_for("orders", count=2)))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            peers[1].register("orders", port=1)
            await trio.sleep(1)
            assert not found
            peers[0].register("orders", port=2)
            await trio.sleep(0.01)
            assert found == [2]


async def test_a_slow_watcher_gets_the_latest_value_and_no_backlog(
    autojump_clock: MockClock,
) -> None:
    """A watch begins with the present and skips what was between."""
    async with open_town() as town:
        peer = await town.start(1)
        watch = peer.watch("orders")
        assert len(await anext(watch)) == 0
        for port in range(1, 6):
            peer.register("orders", port=port)
            await trio.sleep(0.1)

        assert len(await anext(watch)) == 5
        with trio.move_on_after(10) as scope:
            await anext(watch)
        assert scope.cancelled_caught


async def test_a_watch_of_all_services_tells_which_one_changed(autojump_clock: MockClock) -> None:
    """Without a service every service is watched, each by its latest value."""
    async with open_town() as town:
        peer = await town.start(1)
        peer.register("orders", port=1)
        watch = peer.watch()
        assert (await anext(watch)).service == "orders"

        peer.register("payments", port=2)
        peer.register("orders", port=3)

        found = [await anext(watch), await anext(watch)]
        assert [(each.service, len(each)) for each in found] == [("payments", 1), ("orders", 2)]


async def test_watches_end_with_the_peer_and_cost_nothing_when_forgotten(
    autojump_clock: MockClock,
) -> None:
    """A loop over a watch ends when the peer stops, and a dropped one leaves no subscription."""
    async with open_town() as town:
        peer = await town.start(1)
        forgotten = peer.watch("orders")
        assert peer.statistics()["subscriptions"] == 1
        del forgotten
        assert peer.statistics()["subscriptions"] == 0
        ended: list[str] = []

        async def loop() -> None:
            async for _ in peer.watch("orders"):
                pass
            ended.append("watch")

        async def wait() -> None:
            with pytest.raises(Unavailable):
                await peer.wait_for("orders")
            ended.append("wait")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(loop)
            nursery.start_soon(wait)
            await trio.sleep(1)
            await peer.leave()
        assert sorted(ended) == ["wait", "watch"]


async def test_changed_returns_when_the_index_differs(autojump_clock: MockClock) -> None:
    """A long poll waits on one service alone."""
    async with open_town() as town:
        peer = await town.start(1)
        index = peer.index("orders")
        peer.register("payments", port=1)
        with trio.move_on_after(1) as scope:
            await peer.changed("orders", index)
        assert scope.cancelled_caught

        peer.register("orders", port=1)

        with trio.fail_after(0.1):
            assert await peer.changed("orders", index) == peer.lookup("orders").index


async def test_a_peer_that_has_left_still_answers_lookups_and_refuses_actions(
    autojump_clock: MockClock,
) -> None:
    """After the end lookups show what was known last; nothing is silently lost."""
    async with open_town() as town:
        peer = await town.start(1)
        instance = peer.register("orders", port=1)
        await peer.leave()

        assert ids(peer, "orders") == [instance.id]
        for action in (
            lambda: peer.register("orders", port=2),
            lambda: peer.deregister("orders", instance.id),
            peer.accept_loss,
        ):
            with pytest.raises(Unavailable):
                action()
        assert peer.info()["leaving"] is True


async def test_a_cancelled_block_still_leaves_gracefully(autojump_clock: MockClock) -> None:
    """Cancellation from outside does not make a leave a crash."""
    async with open_town() as town:
        peers = await town.start_many(2)
        config = PeerConfig(name="guest", bind=f"10.0.0.9:{PORT}", join=[f"10.0.0.1:{PORT}"])
        network = town.network.host("10.0.0.9")
        with trio.move_on_after(3) as scope:
            async with open_peer(config, network=network, wall=wall, rng=random.Random(9)):
                await trio.sleep_forever()

        assert scope.cancelled_caught
        assert [status(peer, "guest") for peer in peers] == ["left", "left"]


async def test_an_aborted_leave_ends_at_once(autojump_clock: MockClock) -> None:
    """A second wish to stop does not wait for a mesh that does not answer."""
    async with open_town() as town:
        peers = await town.start_many(3)
        town.network.cut(["10.0.0.3"], ["10.0.0.1", "10.0.0.2"])
        began = trio.current_time()
        peers[2].request_leave()
        await trio.sleep(0.01)
        assert not peers[2].is_running

        peers[2].abort()
        await peers[2].left()

        assert trio.current_time() - began < 0.1


async def test_a_leave_that_nobody_acknowledges_is_bounded(autojump_clock: MockClock) -> None:
    """Cut off, a peer gives up leaving after its time."""
    async with open_town() as town:
        peers = await town.start_many(3)
        town.network.cut(["10.0.0.3"], ["10.0.0.1", "10.0.0.2"])
        with trio.fail_after(3):
            await peers[2].leave()


async def test_errors_of_the_block_come_out_as_they_are(autojump_clock: MockClock) -> None:
    """No exception group stands around what the user's own code raised."""
    async with open_town() as town:
        with pytest.raises(ZeroDivisionError):
            async with open_peer(
                PeerConfig(name="a", bind=f"10.0.0.1:{PORT}"),
                network=town.network.host("10.0.0.1"),
                wall=wall,
            ):
                raise ZeroDivisionError


async def test_a_seed_that_is_down_delays_nothing_and_is_tried_for_ever(
    autojump_clock: MockClock,
) -> None:
    """A peer starts at once and joins when its seed comes up."""
    async with open_town() as town:
        began = trio.current_time()
        peer = await town.start(2)
        assert trio.current_time() - began < 1
        assert peer.info()["joined"] is False
        assert peer.lookup("orders").degraded
        peer.register("orders", port=1)
        await trio.sleep(300)

        seed = await town.start(1)
        await until(lambda: ids(seed, "orders"), 15)

        await peer.joined()
        assert not peer.lookup("orders").degraded


async def test_a_name_that_resolves_later_is_joined_through_then(autojump_clock: MockClock) -> None:
    """One seed that resolves is enough to start; the others are looked up again."""
    async with open_town() as town:
        peer = await town.start(2, join=("10.0.0.7:7940", "seed.example:7940"))
        assert peer.info()["seeds_unresolved"] == ["seed.example:7940"]
        seed = await town.start(1)
        town.network.name("seed.example", "10.0.0.1")

        await until(lambda: alive(seed) == 2, 15)

        assert peer.info()["seeds_unresolved"] == []
        await peer.joined()


async def test_a_seed_that_moves_is_found_at_its_new_address(autojump_clock: MockClock) -> None:
    """Names are resolved again and again, because an orchestrator changes their addresses."""
    async with open_town() as town:
        town.network.name("seed.example", "10.0.0.7")
        peer = await town.start(2, join=("seed.example:7940",))
        town.network.name("seed.example", "10.0.0.1")
        seed = await town.start(1)

        await until(lambda: alive(seed) == 2, 15)

        assert peer.info()["seeds"] == ["10.0.0.1:7940"]


async def test_join_takes_more_seeds_and_refuses_bad_ones_whole(autojump_clock: MockClock) -> None:
    """Seeds can be given later; one that is bad leaves everything as it was."""
    async with open_town() as town:
        seed = await town.start(1)
        peer = await town.start(2, join=())
        for bad in ("nosuch.invalid:7940", "10.0.0.1", "10.0.0.1:70000", "10.0.0.1:0"):
            with pytest.raises(BadInput) as caught:
                await peer.join(["10.0.0.1:7940", bad])
            assert caught.value.field == "join"
        assert peer.info()["seeds"] == []

        assert await peer.join(["10.0.0.1:7940"]) == [("10.0.0.1", 7940)]

        await until(lambda: alive(seed) == 2, 5)


async def test_a_peer_whose_only_seed_is_itself_says_that_it_has_not_joined(
    autojump_clock: MockClock,
) -> None:
    """A one-peer mesh by mistake is visible."""
    async with open_town() as town:
        peer = await town.start(1, join=("10.0.0.1:7940",))
        await trio.sleep(5)

        info = peer.info()

        assert (info["joined"], info["seed_is_self"]) == (False, True)


async def test_choose_takes_what_lookup_finds(autojump_clock: MockClock) -> None:
    """Choosing follows the policy, skips weight 0, and says when there is nothing."""
    async with open_town() as town:
        peer = await town.start(1)
        with pytest.raises(NoInstanceError):
            peer.choose("orders")
        for port, weight in ((1, 1), (2, 3), (3, 0)):
            peer.register("orders", port=port, weight=weight)

        ports = [peer.choose("orders").port for _ in range(400)]
        turns = [peer.choose("orders", "round_robin").port for _ in range(4)]

        assert 3 not in ports
        assert 240 < ports.count(2) < 360
        assert turns == [1, 2, 1, 2]
        assert peer.choose("orders", policy=lambda candidates: candidates[-1]).port == 2
        with pytest.raises(BadInput):
            peer.choose("orders", "fastest")  # type: ignore[arg-type]


async def test_bad_registrations_name_their_field_and_change_nothing(
    autojump_clock: MockClock,
) -> None:
    """Each bad value is refused with its field before anything is published."""
    async with open_town() as town:
        peer: Peer = await town.start(1)
        for field, wishes in (
            ("port", {"port": 0}),
            ("port", {"port": 70000}),
            ("metadata", {"port": 1, "metadata": {"k": "v" * 2000}}),
            ("ttl", {"port": 1, "ttl": -1}),
        ):
            with pytest.raises(BadInput) as caught:
                peer.register("orders", **wishes)
            assert caught.value.field == field
        assert not peer.knows("orders")
