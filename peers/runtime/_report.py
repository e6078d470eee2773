"""What a peer reports of itself: the document behind `gossamer info` and `GET /v1/info`."""

from collections import Counter
from collections.abc import Mapping, Sequence

from gossamer.gossip import Address, Gossip, Status
from gossamer.peers.host import PeerConfig
from gossamer.peers.model import format_address, show_moment
from gossamer.peers.network import Seeds
from gossamer.peers.registry import Registry


def report(
    config: PeerConfig,
    gossip: Gossip,
    registry: Registry,
    *,
    counters: Mapping[str, int],
    seeds: Seeds,
    addresses: Mapping[str, Sequence[Address]],
    keys: Mapping[str, object] | None,
    leaving: bool,
    uptime: float,
    now: float,
) -> dict[str, object]:
    """Return a document of plain JSON values."""
    from gossamer import __version__

    http = addresses.get("http", ())
    by_status = Counter(member.status for member in gossip.members.values())
    by_status[Status.ALIVE] += 1
    return {
        "name": gossip.name,
        "version": __version__,
        "epoch": gossip.epoch,
        "incarnation": gossip.incarnation,
        "cluster": config.cluster,
        "zone": config.zone,
        "profile": config.profile,
        "address": format_address(gossip.address),
        "http_address": format_address(http[0]) if http else None,
        "addresses": {name: list(map(format_address, each)) for name, each in addresses.items()},
        "root": gossip.root.hex(),
        "members": {status.label: by_status[status] for status in Status},
        "instances": counters["instances"],
        "services": counters["services"],
        "degraded": registry.degraded or bool(gossip.blocked_paths),
        "paths": dict(sorted(gossip.blocked_paths.items())),
        "keys": None if keys is None else dict(keys),
        "isolated": gossip.isolated,
        "joined": gossip.joined,
        "seeds": [format_address(address) for address in seeds.addresses],
        "seeds_unresolved": [format_address(seed) for seed in seeds.unresolved],
        "seed_is_self": gossip.seed_is_self,
        "leaving": leaving,
        "health": gossip.health,
        "conflict": gossip.conflict,
        "preserved": [
            {
                "service": each.service,
                "instances": each.instances,
                "ends_at": show_moment(each.ends_at),
            }
            for each in registry.preserved(now)
        ],
        "uptime": round(uptime, 3),
        "counters": dict(counters),
    }
