"""Keys over a whole mesh: rotation, the way from plain text, strangers and replays."""

from typing import Any

import pytest
from keys import KeyHolders, key, ring

from gossamer.gossip import (
    PLAIN,
    Key,
    KeyRefused,
    KeyRing,
    MemberFailed,
    MemberSuspected,
    OwnKeyRefused,
)
from gossamer.gossip.messages import Ping, encode_body, encode_delta
from gossamer.gossip.sealing import ChecksumSeal
from gossamer.peers import BadInput, Conflict
from gossamer.peers.keys import KEYS_RECORD
from gossamer.peers.keys._key_decisions import PLAIN_NAMED, Decision, Decisions, Verb
from gossamer.peers.keys._key_records import KeyRecord
from gossamer.simulations import Kind, Mesh, Packet, SimulatedPeer

ONE, TWO = key(1), key(2)
PEERS = 8
# A stamp some minutes after the mesh began.
SOON = 1_767_226_000_000 << 16


def keyed_mesh(
    keys: KeyRing, *, seed: int = 1, peers: int = PEERS, **config: Any
) -> tuple[Mesh, KeyHolders, list[SimulatedPeer]]:
    """Return a settled mesh whose peers all start with the same key file."""
    mesh = Mesh(seed, **config)
    holders = KeyHolders(mesh, keys)
    first = mesh.add()
    added = [first, *(mesh.add(seeds=[first.address]) for _ in range(peers - 1))]
    mesh.run_until(lambda: mesh.converged(added), 10.0)
    mesh.run_for(1.0)
    return mesh, holders, added


def total(peers: list[SimulatedPeer], counter: str) -> int:
    """Return the sum of a counter over these peers."""
    return sum(peer.gossip.statistics()[counter] for peer in peers)


def refused_keys(mesh: Mesh, peers: list[SimulatedPeer]) -> list[tuple[int, bool]]:
    """Return the foreign keys that these peers told of: their ids, and whether that id is held."""
    return [
        (event.key_id, event.held)
        for _, peer, event in mesh.events(KeyRefused)
        if peer in peers and isinstance(event, KeyRefused)
    ]


def test_a_mesh_with_a_key_is_a_mesh_like_any_other() -> None:
    """Peers with one key meet, agree and detect a crash; datagrams fit; all is hidden."""
    mesh, _, peers = keyed_mesh(ring(ONE))
    seen: list[Packet] = []
    mesh.fabric.observer = seen.append
    for peer in peers:
        for number in range(20):
            peer.publish(f"secret-{number}", bytes(200))
    mesh.run_until(lambda: mesh.converged(peers), 5.0)
    peers[-1].crash(host=True)
    mesh.run_until(lambda: all(not p.gossip.members["p7"].status.living for p in peers[:-1]), 20.0)

    assert 1200 < max(len(packet.data) for packet in seen if packet.kind is Kind.UDP) <= 1400
    assert not any(b"secret" in packet.data for packet in seen)
    assert total(peers, "refused_key") == total(peers, "refused_replay") == 0


def test_keys_are_rotated_without_losing_a_datagram() -> None:
    """Through add, use and remove nothing is refused for its key, lost, or suspected."""
    mesh, holders, peers = keyed_mesh(ring(ONE))
    events = len(mesh.events(MemberSuspected, MemberFailed))

    def work(round: int) -> None:
        for peer in peers:
            peer.publish(f"record-{round}", peer.name.encode())
        mesh.run_for(0.5)

    work(0)
    for peer in peers:
        holders.add([peer], TWO)
        work(1)
    holders.use(peers[3], 2)
    work(2)
    mesh.run_until(lambda: holders.uses(peers) == {2}, 3.0)
    work(3)
    holders.remove(peers[5], 1)
    work(4)
    mesh.run_until(lambda: holders.accepted(peers) == {(2,)}, 3.0)
    mesh.run_until(lambda: mesh.converged(peers), 3.0)

    assert holders.files == dict.fromkeys(mesh.peers, ring(TWO))
    assert len(mesh.events(MemberSuspected, MemberFailed)) == events
    assert all(
        peer.gossip.parts[owner.name].records["record-4"] == owner.name.encode()
        for peer in peers
        for owner in peers
    )
    # What was on its way when a key went is refused, and repaired like any loss.
    assert total(peers, "refused_key") <= PEERS


def test_a_key_is_not_used_before_all_known_members_accept_it() -> None:
    """The error names members without the key, and nothing changes; force leaves them behind."""
    mesh, holders, peers = keyed_mesh(ring(ONE))
    peers[7].crash()
    mesh.run_until(lambda: not peers[0].gossip.members["p7"].status.living, 20.0)
    holders.add(peers[:6], TWO)
    mesh.run_for(1.0)

    with pytest.raises(Conflict, match=r"key 2 is not accepted yet by p6, p7 \(dead\): add it"):
        holders.use(peers[0], 2)
    assert holders.uses(peers[:7]) == {1}
    with pytest.raises(BadInput, match="does not accept key 3; it accepts key 1, key 2"):
        holders.use(peers[0], 3)

    holders.add([peers[6]], TWO)
    mesh.run_for(1.0)
    holders.use(peers[0], 2, force=True)
    mesh.run_until(lambda: holders.uses(peers[:7]) == {2}, 3.0)


def test_a_peer_that_has_not_joined_decides_nothing() -> None:
    """It knows nobody, and what it decided would reach the whole mesh later."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO), peers=3)
    late = mesh.add("late", seeds=[("10.9.9.9", 7940)])
    mesh.run_for(3.0)
    for decide in (holders.use, holders.remove):
        with pytest.raises(Conflict, match="has not joined the mesh"):
            decide(late, 2)
    assert holders[late].ring == ring(ONE, TWO)

    late.join([peers[0].address])
    mesh.run_for(3.0)
    holders.use(late, 2)
    mesh.run_until(lambda: holders.uses([*peers, late]) == {2}, 3.0)


def test_a_key_is_not_removed_while_an_absent_member_seals_with_it() -> None:
    """A dead member is named; it comes back with its old file, follows, and the key can go."""
    mesh, holders, peers = keyed_mesh(ring(ONE))
    holders.add(peers, TWO)
    mesh.run_for(1.0)
    absent = peers[7]
    absent.crash()
    mesh.run_until(lambda: not peers[0].gossip.members["p7"].status.living, 20.0)
    holders.use(peers[0], 2)
    mesh.run_until(lambda: holders.uses(peers[:7]) == {2}, 3.0)
    mesh.run_for(1.0)

    with pytest.raises(Conflict, match=r"key 1 is still needed by p7 \(dead\)"):
        holders.remove(peers[4], 1)
    with pytest.raises(Conflict, match="key 2 is in use here"):
        holders.remove(peers[4], 2)
    assert holders.accepted(peers[:7]) == {(1, 2)}

    absent.restart()
    mesh.run_until(lambda: holders.uses(peers) == {2}, 10.0)
    mesh.run_for(1.0)
    holders.remove(peers[4], 1)
    mesh.run_until(lambda: holders.accepted(peers) == {(2,)}, 3.0)
    assert holders.files["p7"] == ring(TWO)


def test_records_of_the_dead_may_be_dropped_and_their_keys_are_remembered() -> None:
    """What a member said of its keys counts for as long as it is known, not as its records are."""
    mesh = Mesh(3, part_for=5.0, dead_for=60.0)
    holders = KeyHolders(mesh, ring(ONE, TWO))
    peers = mesh.add_peers(3, apart=0.5)
    mesh.run_for(3.0)
    peers[2].crash()
    mesh.run_until(lambda: "p2" not in peers[0].gossip.parts, 60.0)
    holders.use(peers[0], 2)
    mesh.run_for(1.0)
    with pytest.raises(Conflict, match=r"key 1 is still needed by p2 \(dead\)"):
        holders.remove(peers[0], 1)

    mesh.run_until(lambda: "p2" not in peers[0].gossip.members, 200.0)
    holders.remove(peers[0], 1)
    assert set(holders[peers[0]].heard.names) == {"p1"}


def test_a_part_of_the_mesh_that_was_cut_off_follows_when_it_is_back() -> None:
    """A decision on one side of a cut reaches the other after it, and no key goes before."""
    mesh, holders, peers = keyed_mesh(ring(ONE))
    holders.add(peers, TWO)
    mesh.run_for(1.0)
    cut = mesh.cut(peers[:4], peers[4:])
    mesh.run_for(60.0)
    holders.use(peers[0], 2)
    mesh.run_for(5.0)
    assert holders.uses(peers[:4]) == {2}
    assert holders.uses(peers[4:]) == {1}
    with pytest.raises(Conflict, match=r"p4 \(dead\), p5 \(dead\), p6 \(dead\), p7 \(dead\)"):
        holders.remove(peers[0], 1)

    cut.remove()
    mesh.run_until(lambda: mesh.converged(peers), 10.0)
    mesh.run_until(lambda: holders.uses(peers) == {2}, 5.0)
    holders.remove(peers[6], 1)
    mesh.run_until(lambda: holders.accepted(peers) == {(2,)}, 3.0)


def test_later_decisions_win_on_whichever_side() -> None:
    """Two operators decide on two sides of a cut: all follow the later."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO, key(3)))
    cut = mesh.cut(peers[:4], peers[4:])
    mesh.run_for(40.0)
    holders.use(peers[0], 2)
    mesh.run_for(5.0)
    holders.use(peers[4], 3)
    mesh.run_for(5.0)
    cut.remove()

    mesh.run_until(lambda: holders.uses(peers) == {3}, 20.0)
    mesh.run_for(5.0)
    assert holders.uses(peers) == {3}


def test_a_key_that_is_used_and_removed_at_once_is_removed() -> None:
    """Two operators decide at the same moment: all peers come to the same, and understand."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO))
    holders.use(peers[0], 2)
    holders.remove(peers[4], 2)

    mesh.run_until(lambda: holders.accepted(peers) == {(1,)}, 10.0)
    assert holders.uses(peers) == {1}
    mesh.run_until(lambda: mesh.converged(peers), 10.0)


def test_one_that_lacks_the_key_in_use_says_so_and_follows_when_it_has_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A peer left behind by force logs what it lacks; once the key is added it uses it."""
    mesh, holders, peers = keyed_mesh(ring(ONE))
    holders.add(peers[:7], TWO)
    mesh.run_for(1.0)
    holders.use(peers[0], 2, force=True)
    mesh.run_for(5.0)
    assert holders.uses(peers[:7]) == {2}
    assert total([peers[7]], "refused_key") > 0
    holders.add([peers[7]], TWO)

    mesh.run_until(lambda: holders.uses(peers) == {2}, 20.0)


# The way from plain text


def test_a_mesh_goes_from_plain_text_to_a_key_in_steps() -> None:
    """Restarted one by one, switched by one command, closed by another; nobody looks dead."""
    mesh = Mesh(5)
    holders = KeyHolders(mesh, ring(ONE, use=PLAIN, plain=True))
    for number in range(PEERS):
        holders.files[f"p{number}"] = None
    peers = mesh.add_peers(PEERS, apart=0.3)
    mesh.run_until(lambda: mesh.converged(peers), 10.0)
    for number, peer in enumerate(peers):
        if number == 5:
            with pytest.raises(Conflict, match=r"key 1 is not accepted yet by p5 \(has not said"):
                holders.use(peers[0], 1)
        holders.files[peer.name] = holders.default
        peer.leave()
        mesh.run_for(2.0)
        peer.start([peers[number - 1].address])
        mesh.run_for(2.0)
    with pytest.raises(Conflict, match="plain text is in use here"):
        holders.remove(peers[0], PLAIN)

    holders.use(peers[0], 1)
    mesh.run_until(lambda: holders.uses(peers) == {1}, 3.0)
    mesh.run_for(1.0)
    holders.remove(peers[2], PLAIN)
    mesh.run_until(lambda: holders.accepted(peers) == {(1,)}, 3.0)

    assert mesh.events(MemberFailed) == []
    assert total(peers, "refused_key") <= PEERS
    mesh.run_until(lambda: mesh.converged(peers), 5.0)


@pytest.mark.parametrize("away", [0.0, 40.0], ids=["at once", "after its records were dropped"])
def test_what_a_member_said_in_an_earlier_life_does_not_count(away: float) -> None:
    """A member that is restarted without its key file no longer passes for one that has it."""
    mesh = Mesh(1, part_for=5.0)
    holders = KeyHolders(mesh, ring(ONE, use=PLAIN, plain=True))
    peers = mesh.add_peers(3, apart=0.5)
    mesh.run_for(3.0)
    peers[1].crash()
    mesh.run_for(away)
    assert ("p1" in peers[0].gossip.parts) is (away == 0.0)
    holders.files["p1"] = None
    peers[1].start([peers[0].address])
    mesh.run_for(3.0)

    with pytest.raises(Conflict, match=r"by p1 \(has not said which keys it has\): add"):
        holders.use(peers[0], 1)


def test_plain_text_is_not_removed_while_a_member_sends_it() -> None:
    """A member without a key file is named."""
    mesh = Mesh(5)
    holders = KeyHolders(mesh, ring(ONE, use=PLAIN, plain=True))
    holders.files["p1"] = None
    peers = mesh.add_peers(2, apart=0.3)
    mesh.run_for(3.0)
    holders.use(peers[0], 1, force=True)

    with pytest.raises(Conflict, match=r"plain text is still needed by p1 \(has not said"):
        holders.remove(peers[0], PLAIN)


def test_the_way_back_to_plain_text_is_taken_at_each_peer() -> None:
    """Nobody sends plain text because another decided so; who is told to, stays with it."""
    mesh, holders, peers = keyed_mesh(ring(ONE), peers=3)
    for peer in peers:
        holders.act(peer, lambda keys, now: keys.add_plain(now))
    mesh.run_for(1.0)
    holders.use(peers[0], PLAIN)
    mesh.run_for(10.0)
    assert [holders[peer].ring.use for peer in peers] == [PLAIN, 1, 1]
    for peer in peers[1:]:
        holders.use(peer, PLAIN)
    mesh.run_for(5.0)
    assert holders.uses(peers) == {PLAIN}


def test_what_only_looks_like_a_decision_is_never_carried_out() -> None:
    """While plain text is accepted anybody can forge one; it also does nothing later.

    Neither in who knows it when plain text goes, nor in who hears of it only then.
    """
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO, use=PLAIN, plain=True), peers=3)
    signers = [PLAIN_NAMED, (1, ONE.fingerprint), (2, TWO.fingerprint), (3, b"none")]

    def forge(stamp: int) -> None:
        for signer in signers:
            stamp += 1
            removal = Decision(stamp, Verb.REMOVE, (2, TWO.fingerprint), signer)
            use = Decision(stamp, Verb.USE, PLAIN_NAMED, signer)
            decisions = Decisions(use, {removal.key: removal})
            forger.publish(KEYS_RECORD, KeyRecord({PLAIN: b""}, PLAIN, decisions).encode())
            mesh.run_for(3.0)
            assert forger.gossip.parts["forger"].head == peers[2].gossip.parts["forger"].head
            assert holders.accepted(peers) == {(0, 1, 2)}

    holders.files["forger"] = None
    forger = mesh.add("forger", seeds=[peers[0].address])
    mesh.run_for(1.0)
    forge(SOON)
    holders.use(peers[0], 1, force=True)
    mesh.run_for(1.0)
    forge(SOON + 100)
    assert holders.uses(peers) == {1}

    holders.remove(peers[0], PLAIN, force=True)
    mesh.run_for(1.0)
    peers[2].restart()
    mesh.run_for(5.0)
    assert "forger" in peers[2].gossip.parts
    assert holders.accepted(peers) == {(1, 2)}
    assert holders.uses(peers) == {1}
    assert holders[peers[0]].refused > 0


def test_a_decision_is_believed_once_its_key_is_there(caplog: pytest.LogCaptureFixture) -> None:
    """A peer without the key of the proof checks the decision when that key is added."""
    mesh, holders, peers = keyed_mesh(ring(ONE), peers=3)
    holders.add(peers[:2], TWO)
    mesh.run_for(1.0)
    # So it goes on to pass things on with key 1.
    holders.full = {"p1"}
    holders.use(peers[0], 2, force=True)
    mesh.run_for(1.0)
    assert [holders[peer].ring.use for peer in peers] == [2, 1, 1]
    assert f"the mesh seals with key 2 ({TWO.fingerprint.hex()}), which this peer" in caplog.text

    peers[0].crash()
    holders.add(peers[2:], TWO)
    assert holders[peers[2]].ring.use == 2


# What was decided is kept


def test_an_absent_member_brings_no_earlier_decision_back() -> None:
    """Those who restarted meanwhile know better than one who was cut off when all changed."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO, key(3)), peers=3)
    holders.use(peers[0], 2)
    mesh.run_for(2.0)
    peers[2].crash()
    mesh.run_for(1.0)
    holders.use(peers[0], 3)
    mesh.run_for(1.0)
    for peer in peers[:2]:
        peer.crash()
    for peer in peers[:2]:
        peer.restart(seeds=[peers[1].address])
    mesh.run_for(5.0)
    peers[2].restart(seeds=[peers[0].address])
    mesh.run_until(lambda: holders.uses(peers) == {3}, 30.0)
    mesh.run_for(5.0)
    assert holders.uses(peers) == {3}


def test_a_removal_reaches_who_was_away_when_all_others_restarted() -> None:
    """A key that has leaked is given up by the last member too."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO, use=2), peers=3)
    peers[2].crash()
    mesh.run_for(1.0)
    holders.remove(peers[0], 1)
    mesh.run_for(1.0)
    for peer in peers[:2]:
        peer.crash()
    for peer in peers[:2]:
        peer.restart(seeds=[peers[1].address])
    mesh.run_for(5.0)
    peers[2].restart(seeds=[peers[0].address])
    mesh.run_until(lambda: holders.accepted(peers) == {(2,)}, 30.0)


def test_a_recorded_removal_is_not_carried_out_after_a_restart() -> None:
    """Somebody without a key plays back what was taken back since, in plain text."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO, use=PLAIN, plain=True), peers=3)
    holders.remove(peers[0], 2, force=True)
    mesh.run_for(1.0)
    recorded = peers[0].gossip.parts["p0"].records[KEYS_RECORD]
    holders.add(peers, TWO)
    mesh.run_for(1.0)
    assert holders.accepted(peers) == {(0, 1, 2)}

    peers[2].restart()
    life = peers[2].gossip.epoch
    update = encode_delta("outsider", life, 0, [(KEYS_RECORD, recorded)])
    body = encode_body("outsider", life, [], [update])
    peers[2].receive(ChecksumSeal("default").seal(body, life), ("10.9.9.9", 7940))
    assert "outsider" in peers[2].gossip.parts
    mesh.run_for(5.0)
    assert holders.accepted(peers) == {(0, 1, 2)}


# Strangers


def test_a_wrong_key_is_reported_at_both_ends_and_changes_nothing() -> None:
    """Mesh and newcomer each tell once in a minute which key is foreign, and count all of it."""
    mesh, holders, peers = keyed_mesh(ring(ONE), peers=3)
    roots = {peer.gossip.root for peer in peers}
    holders.files["stranger"] = ring(key(1, "another"))
    stranger = mesh.add("stranger", seeds=[peers[0].address])
    mesh.run_for(50.0)

    assert {peer.gossip.root for peer in peers} == roots
    assert not stranger.gossip.members
    assert not stranger.gossip.joined
    assert total(peers, "refused_key") > 5
    assert total([stranger], "refused_key") > 0
    told = refused_keys(mesh, peers)
    assert 1 <= len(told) <= 2
    assert set(told) == {(1, True)}
    assert refused_keys(mesh, [stranger])


def test_who_seals_with_a_key_that_went_is_told_in_one_it_accepts() -> None:
    """A peer with an old file learns that its key is not accepted any more."""
    mesh, holders, peers = keyed_mesh(ring(TWO), peers=3)
    holders.files["late"] = ring(ONE, TWO)
    late = mesh.add("late", seeds=[peers[0].address])
    mesh.run_for(10.0)

    assert [event for _, peer, event in mesh.events(OwnKeyRefused) if peer is late]
    assert not late.gossip.joined


def test_a_peer_without_a_key_file_is_kept_out() -> None:
    """Plain datagrams and streams are refused where a key is demanded; both ends say so."""
    mesh, holders, peers = keyed_mesh(ring(ONE), peers=3)
    roots = {peer.gossip.root for peer in peers}
    holders.files["open"] = None
    plain = mesh.add("open", seeds=[peers[0].address])
    mesh.run_for(10.0)

    assert {peer.gossip.root for peer in peers} == roots
    assert not plain.gossip.members
    assert set(refused_keys(mesh, peers)) == {(PLAIN, False)}
    assert set(refused_keys(mesh, [plain])) == {(1, False)}


def test_foreign_datagrams_are_not_answered() -> None:
    """What would be said could be recorded and said to others; streams tell who is meant."""
    mesh, _, peers = keyed_mesh(ring(ONE), peers=1)
    datagram = ChecksumSeal("default").seal(encode_body("x", 1, [Ping(1, "")], []), 0)
    before = peers[0].gossip.statistics()
    for number in range(5000):
        peers[0].receive(datagram, (f"10.9.{number // 250}.{number % 250}", 7940))
    after = peers[0].gossip.statistics()

    assert after["refused_key"] - before["refused_key"] == 5000
    assert after["datagrams_sent"] == before["datagrams_sent"]
    assert len(refused_keys(mesh, peers)) <= 64


# Replays and nonces


def test_replayed_datagrams_change_nothing() -> None:
    """All that was ever sent is sent again, to everybody, also to a peer that was restarted.

    Of one that has left and is forgotten, nobody hears again.
    """
    mesh = Mesh(1, left_for=5.0, part_for=2.0, tombstone_for=10.0)
    KeyHolders(mesh, ring(ONE))
    peers = mesh.add_peers(4, apart=0.1)
    mesh.run_until(lambda: mesh.converged(peers), 10.0)
    recorded: list[Packet] = []
    mesh.fabric.observer = recorded.append
    for number in range(10):
        peers[number % 4].publish("k", bytes([number]))
        mesh.run_for(0.5)
    peers[3].leave()
    mesh.run_for(3.0)
    peers[2].restart()
    mesh.run_until(lambda: mesh.converged(peers[:3]), 10.0)
    mesh.run_until(lambda: all("p3" not in peer.gossip.members for peer in peers[:3]), 60.0)
    mesh.run_until(lambda: mesh.converged(peers[:3]), 60.0)
    mesh.run_for(30.0)
    datagrams = [packet for packet in recorded if packet.kind is Kind.UDP]
    roots = {peer.gossip.root for peer in peers[:3]}
    events = len(mesh.events(MemberSuspected, MemberFailed))
    records = {name: dict(part.records) for name, part in peers[0].gossip.parts.items()}
    refused = total(peers[:3], "refused_replay")
    mesh.fabric.observer = None

    assert len(datagrams) > 100
    for packet in datagrams:
        for peer in peers[:3]:
            peer.receive(packet.data, packet.source)
    assert all("p3" not in peer.gossip.members for peer in peers[:3])
    mesh.run_for(20.0)

    assert total(peers[:3], "refused_replay") - refused > len(datagrams) // 2
    assert {peer.gossip.root for peer in peers[:3]} == roots
    assert len(mesh.events(MemberSuspected, MemberFailed)) == events
    assert records == {n: dict(part.records) for n, part in peers[0].gossip.parts.items()}


def test_no_nonce_comes_twice_in_a_mesh_that_lives_and_restarts() -> None:
    """Salt and counter of every datagram and frame are new, over peers, restarts and rotations."""
    mesh = Mesh(2)
    holders = KeyHolders(mesh, ring(ONE))
    peers = mesh.add_peers(4, apart=0.2)
    mesh.run_for(3.0)
    for peer in peers:
        peer.publish("k", bytes(9000))
        peer.restart()
        mesh.run_for(2.0)
    holders.add(peers, TWO)
    mesh.run_for(1.0)
    holders.use(peers[0], 2)
    mesh.run_for(2.0)

    # Key id; fingerprint, salt and counter.
    nonces = {(data[4], data[21:45]) for data in holders.sealed}
    assert len(holders.sealed) > 200
    assert {data[4] for data in holders.sealed} == {1, 2}
    assert len(nonces) == len(holders.sealed)


# Faults of the disk, and of what is told


def test_what_cannot_be_written_is_not_done(caplog: pytest.LogCaptureFixture) -> None:
    """A peer with a full disk goes on as its file says, and so nobody removes its key."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO), peers=3)
    holders.full = {"p2"}
    holders.use(peers[0], 2)
    mesh.run_for(3.0)

    assert [holders[peer].ring.use for peer in peers] == [2, 2, 1]
    assert (
        "could not carry out the mesh's decision on keys: no room is left on the disk"
        in caplog.text
    )
    with pytest.raises(Conflict, match="key 1 is still needed by p2:"):
        holders.remove(peers[0], 1)

    holders.full = set()
    holders.use(peers[0], 2)
    mesh.run_until(lambda: holders.uses(peers) == {2}, 3.0)

    holders.full = {"p2"}
    holders.remove(peers[0], 1)
    mesh.run_for(1.0)
    assert holders.accepted(peers) == {(2,), (1, 2)}
    holders.full = set()
    holders.use(peers[2], 2)  # decides what is decided, and carries out the rest
    assert holders.accepted(peers) == {(2,)}


@pytest.mark.parametrize("record", [b"", b"\x80", b"junk", bytes(3000)])
def test_a_record_that_is_no_updates_of_keys_is_counted(record: bytes) -> None:
    """Such a member counts as one that has told nothing."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO), peers=2)
    peers[1].publish(KEYS_RECORD, record)
    mesh.run_for(1.0)

    assert holders[peers[0]].refused == 1
    with pytest.raises(Conflict, match=r"p1 \(has not said which keys it has\)"):
        holders.use(peers[0], 2)


def test_what_owners_said_that_never_were_members_is_forgotten() -> None:
    """Records can come of owners that nobody has met; they leave nothing behind."""
    mesh = Mesh(1, part_for=5.0)
    holders = KeyHolders(mesh, ring(ONE, TWO))
    peers = mesh.add_peers(2, apart=0.3)
    mesh.run_for(2.0)
    said = KeyRecord(ring(ONE).accepted, 1, Decisions()).encode()
    for number in range(20):
        update = encode_delta(f"nobody-{number}", 1_767_225_600_000, 0, [(KEYS_RECORD, said)])
        peers[1].gossip.inside.spread.send(peers[0].address, peers[0].gossip.epoch, [], [update])
    peers[1].drain()
    mesh.run_for(1.0)
    assert len(list(holders[peers[0]].heard.names)) == 21
    mesh.run_for(60.0)

    assert set(holders[peers[0]].heard.names) == {"p1"}


def test_a_decision_from_a_clock_days_ahead_is_not_taken() -> None:
    """Else no later decision could ever win."""
    mesh, holders, peers = keyed_mesh(ring(ONE, TWO), peers=2)
    stamp = (1_767_225_600_000 + 3 * 86_400_000) << 16
    decision = Decision(stamp, Verb.USE, (2, TWO.fingerprint)).signed("default", TWO)
    record = KeyRecord(ring(ONE, TWO).accepted, 1, Decisions(decision))
    peers[1].publish(KEYS_RECORD, record.encode())
    mesh.run_for(1.0)

    assert holders[peers[0]].ring.use == 1
    assert holders[peers[0]].refused == 1


def test_another_key_of_the_same_id_is_not_the_key() -> None:
    """Two peers that each made a key 2 are not ready to use it."""
    mesh, holders, peers = keyed_mesh(ring(ONE), peers=2)
    holders.add([peers[0]], TWO)
    holders.add([peers[1]], Key(2, bytes(32)))
    mesh.run_for(1.0)

    with pytest.raises(Conflict, match="key 2 is not accepted yet by p1"):
        holders.use(peers[0], 2)
    with pytest.raises(Conflict, match="has a different key 2"):
        holders.add([peers[1]], TWO)
