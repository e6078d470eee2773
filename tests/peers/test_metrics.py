"""What a peer measures: each number has a name, a kind, a unit and a sentence."""

import re
from collections import defaultdict
from pathlib import Path

import pytest
import trio
from keys import key, ring
from registries import Registries
from trio.testing import MockClock
from whole_peers import Town, open_town, status, until

from gossamer.gossip import Distribution, Kind, Metric, by_key
from gossamer.peers import Peer
from gossamer.peers.keys import write_key_file
from gossamer.simulations import Mesh

# The counters that `info` had when the numbers got types; scripts read them by these names.
RECORDED = (
    "accept_errors", "accusations_withheld", "bytes_received", "bytes_sent", "datagrams_received",
    "datagrams_sent", "doubts", "exchanges_cut", "exchanges_failed", "exchanges_fetch",
    "exchanges_heal", "exchanges_join", "exchanges_repair", "frames_received", "frames_sent",
    "gaps", "given_up", "http_answers_2xx", "http_answers_4xx", "http_answers_5xx",
    "http_connections", "http_connections_open", "http_connections_refused", "http_requests",
    "http_streams", "http_timeouts", "instances", "instances_owned", "instances_preserved",
    "instances_unverified", "keys_refused_by_others", "lags", "lease_stalls", "leases",
    "leases_expired", "member_tombstones", "name_conflicts", "overrides_adopted",
    "overrides_dropped", "overrides_waiting", "own_part_ahead", "part_tombstones", "parts",
    "peers_preserved", "probes_abandoned", "probes_by_stream_only", "probes_definite",
    "probes_failed", "probes_relayed", "probes_unreachable", "raises_withheld",
    "receipts_given_up", "receive_errors", "record_bytes", "records", "refused_by_others",
    "refused_checksum", "refused_cluster", "refused_entry", "refused_epoch",
    "refused_epoch_ahead", "refused_exchanges", "refused_former_life", "refused_garbage",
    "refused_incarnation", "refused_items", "refused_key", "refused_key_records",
    "refused_malformed", "refused_member", "refused_members", "refused_nonce", "refused_oversize",
    "refused_own_name", "refused_owners", "refused_part_size", "refused_part_tombstone",
    "refused_parts", "refused_paths", "refused_rate", "refused_records", "refused_relays",
    "refused_replay", "refused_store", "refused_tombstone", "refused_truncated", "refused_update",
    "refused_version", "refused_waiting", "rumors_dropped", "rumors_membership",
    "rumors_registry", "rumors_too_large", "sends_buffer_full", "sends_failed",
    "sends_unreachable", "sends_unroutable", "services", "stream_bytes_received",
    "stream_bytes_sent", "streams_accepted", "streams_failed", "streams_opened",
    "streams_refused", "subscriptions", "suspicions", "taken_over", "ticks", "timers",
    "unpublished", "waiting_deltas",
)  # fmt: skip

_NAME = re.compile(r"gossamer(_[a-z]+)+")


async def _peers(town: Town, path: Path) -> tuple[Peer, Peer]:
    """Return a peer with all that can be measured, and one beside it."""
    write_key_file(path, ring(key(1)))
    one = await town.start(1, http="127.0.0.1:0", key_file=path)
    return one, await town.start(2, key_file=path)


async def test_info_lists_all_counters_of_earlier_versions(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Scripts that read `info` find what they found before."""
    async with open_town() as town:
        one, _ = await _peers(town, tmp_path / "keys")
        counters = one.info()["counters"]
        assert isinstance(counters, dict)
        assert set(RECORDED) <= set(counters)
        assert all(type(count) is int for count in counters.values())
        assert counters == by_key(one.metrics())


async def test_each_statistic_is_declared_by_the_conventions(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Names, units and labels are as Prometheus wants them, and those of one name agree."""
    async with open_town() as town:
        one, _ = await _peers(town, tmp_path / "keys")
        metrics = list(one.metrics())
    by_name = defaultdict[str, list[Metric]](list)
    for metric in metrics:
        by_name[metric.name].append(metric)
        assert _NAME.fullmatch(metric.name), metric.name
        assert metric.sentence.endswith("."), metric.name
        assert metric.sentence[0].isupper(), metric.name
        assert metric.unit, metric.name
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric.name
        for unit in ("bytes", "seconds"):
            suffix = f"_{unit}_total" if metric.kind is Kind.COUNTER else f"_{unit}"
            assert metric.name.endswith(suffix) == (metric.unit == unit), metric.name
        assert isinstance(metric.value, Distribution) == (metric.kind is Kind.HISTOGRAM)
    for name, same in by_name.items():
        shared = {(each.kind, each.unit, each.sentence, tuple(each.labels)) for each in same}
        assert len(shared) == 1, name
        assert len({tuple(each.labels.values()) for each in same}) == len(same), name
    keys = [metric.statistic.key for metric in metrics]
    assert len(keys) == len(set(keys))


async def test_members_are_counted_by_status_and_probes_by_time(autojump_clock: MockClock) -> None:
    """The numbers agree with what the peer shows elsewhere."""
    async with open_town() as town:
        one, two, _ = await town.start_many(3)
        await trio.sleep(30)
        two.abort()
        await until(lambda: status(one, "p2") == "dead", 60)
        members = {
            each.labels["status"]: each.value
            for each in one.metrics()
            if each.name == "gossamer_members"
        }
        assert members == one.info()["members"]
        assert (members["alive"], members["dead"]) == (2, 1)
        [trips] = [
            each.value for each in one.metrics() if each.name.startswith("gossamer_probe_round")
        ]
        assert isinstance(trips, Distribution)
        assert trips.count > 10
        assert 0 < trips.sum / trips.count < 0.01


@pytest.mark.parametrize("seed", [1, 2])
def test_counters_never_go_down(seed: int) -> None:
    """Through a cut, crashes and restarts, whatever is a counter only grows within a life."""
    mesh = Mesh(seed)
    peers = mesh.add_peers(6)
    registries = Registries(mesh)
    for peer in peers:
        peer.restart()
    before: dict[tuple[str, str], float] = {}

    def look() -> None:
        for peer in peers[:5]:
            for metric in (*peer.gossip.metrics(), *registries[peer].metrics()):
                number = _number(metric)
                assert number >= before.get((peer.name, metric.statistic.key), 0), metric
                if metric.kind is not Kind.GAUGE:
                    before[peer.name, metric.statistic.key] = number

    mesh.run_for(5)
    for number, peer in enumerate(peers):
        registries.register(peer, "orders", f"i{number}")
    cut = mesh.cut(peers[:2], peers[2:])
    for _ in range(8):
        mesh.run_for(2)
        look()
    peers[5].crash()
    cut.remove()
    for _ in range(8):
        mesh.run_for(2)
        look()
    assert before["p0", "probes_failed"] > 0
    assert before["p0", "probe_round_trips"] > 0


def _number(metric: Metric) -> float:
    return metric.value.count if isinstance(metric.value, Distribution) else metric.value
