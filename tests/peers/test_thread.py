"""A peer in a thread, for programs that do not run on trio; on real sockets and real time."""

import socket
import threading
from pathlib import Path

import pytest
from keys import key, ring

from gossamer.peers import (
    BadInput,
    ConfigError,
    Conflict,
    NotFound,
    PeerConfig,
    Unavailable,
    WaitTimeout,
    read_key_file,
    run_in_thread,
    write_key_file,
)

# Waiting ends as soon as the condition holds.
LIMIT = 20.0


def settings(name: str, *seeds: str) -> PeerConfig:
    return PeerConfig(name=name, bind="127.0.0.1:0", join=seeds)


def test_two_peers_in_threads_find_each_others_instances() -> None:
    """The same calls as on trio, blocking, from any thread."""
    with run_in_thread(settings("a")) as a:
        with run_in_thread(settings("b", f"127.0.0.1:{a.address[1]}")) as b:
            b.joined(timeout=LIMIT)
            instance = a.register("orders", port=8080, id="orders-1")
            assert a.replicated(instance, peers=1, timeout=LIMIT) == ("b",)

            found = b.wait_for("orders", timeout=LIMIT)

            assert [each.id for each in found] == ["orders-1"]
            assert b.choose("orders").port == 8080
            assert b.find("orders", "orders-1").owner == "a"
            assert [member.name for member in b.members()] == ["a", "b"]
            assert b.info()["name"] == "b"
            assert [service.name for service in b.services()] == ["orders"]
            index = b.index("orders")
            assert b.report("orders", "orders-1", "STARTING", output="warming up").status == (
                "STARTING"
            )
            b.set_status("orders", "orders-1", "DOWN")
            b.clear_status("orders", "orders-1")
            assert b.changed("orders", index, timeout=LIMIT) > index
            assert b.condition().joined
            assert b.statistics()["instances"] == 1
            assert b.is_running
            b.deregister("orders", "orders-1")
            assert not b.lookup("orders")
            assert not b.knows("orders")
            with pytest.raises(NotFound):
                b.heartbeat("orders", "orders-1")
        assert {member.name: member.status for member in a.members()}["b"] == "left"


def test_errors_cross_to_the_calling_thread() -> None:
    """What is refused is refused where it was called, and the peer goes on."""
    with run_in_thread(settings("a")) as peer:
        with pytest.raises(BadInput) as caught:
            peer.register("orders", port=0)
        assert caught.value.field == "port"
        with pytest.raises(WaitTimeout):
            peer.wait_for("orders", timeout=0)
        with pytest.raises(TimeoutError):
            peer.wait_for("orders", timeout=0)
        with pytest.raises(WaitTimeout, match="no service has changed after 0 s"):
            peer.changed(None, peer.index(None), timeout=0)
        with pytest.raises(BadInput):
            peer.join(["nonsense"])
        assert peer.register("orders", port=1).port == 1


def test_keys_are_changed_from_any_thread(tmp_path: Path) -> None:
    """What `Peer.keys` does, blocking; refusals are raised in the caller."""
    mine, following = tmp_path / "mesh.key", tmp_path / "next.key"
    write_key_file(mine, ring(key(1)))
    write_key_file(following, ring(key(2)))
    with run_in_thread(PeerConfig(name="a", bind="127.0.0.1:0", key_file=mine)) as peer:
        peer.keys.add(following)
        peer.keys.use(2)
        peer.keys.remove(1)
        peer.keys.add_plain()
        with pytest.raises(Conflict):
            peer.keys.remove(2)
        assert peer.keys.list()["use"] == 2
    assert read_key_file(mine) == ring(key(2), plain=True)


def test_an_error_at_the_start_is_raised_in_the_caller() -> None:
    """A taken port is the same error as on trio, and no thread stays behind."""
    before = threading.active_count()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with (
            pytest.raises(ConfigError, match=f"port {port} is taken on 127.0.0.1"),
            run_in_thread(PeerConfig(name="a", bind=f"127.0.0.1:{port}")),
        ):
            raise AssertionError("it must not start")

    assert threading.active_count() <= before


def test_after_its_end_lookups_answer_and_actions_refuse() -> None:
    """A peer that is kept beyond its block does not hang anybody."""
    with run_in_thread(settings("a")) as peer:
        peer.register("orders", port=1)
    assert len(peer.lookup("orders")) == 1
    assert not peer.is_running
    with pytest.raises(Unavailable):
        peer.register("orders", port=2)
    with pytest.raises(Unavailable):
        peer.wait_for("payments")


def test_an_error_of_the_block_passes_through_and_the_peer_leaves() -> None:
    """The block's own error is what the caller sees."""
    with pytest.raises(ZeroDivisionError), run_in_thread(settings("a")):
        raise ZeroDivisionError


def test_many_threads_look_up_while_instances_change() -> None:
    """Lookups from other threads see whole answers, at any moment."""
    with run_in_thread(settings("a")) as peer:
        stop = threading.Event()
        wrong: list[int] = []

        def look() -> None:
            while not stop.is_set():
                found = peer.lookup("orders")
                if any(each.service != "orders" for each in found) or len(found) > 10:
                    wrong.append(len(found))

        threads = [threading.Thread(target=look) for _ in range(2)]
        for thread in threads:
            thread.start()
        for port in range(1, 11):
            peer.register("orders", port=port)
        stop.set()
        for thread in threads:
            thread.join()

        assert not wrong
        assert len(peer.lookup("orders")) == 10
