"""What the protocol counts, all of it from zero, so that a reader need not guess.

The keys that begin with `refused_` are datagrams, frames and pieces of them that were not believed
and changed nothing.
"""

from ._statistics import Kind, Statistic, family

# By the reason, which is the end of the key.
_REFUSALS = (
    # The envelope is not one of ours, or damaged.
    "garbage", "truncated", "oversize", "version", "cluster", "checksum", "malformed",
    # A key that is not accepted here, or none where one is demanded.
    "key",
    # Datagrams that were heard before, or are too old to tell.
    "replay",
    # Meant for another life, or said by one that is over.
    "epoch", "former_life", "own_name",
    # Single messages and updates that cannot be.
    "message", "update", "member", "entry", "epoch_ahead", "incarnation", "nonce", "tombstone",
    "part_tombstone", "paths",
    # More than a limit allows.
    "members", "parts", "part_size", "relays", "exchanges", "waiting",
    # Datagrams and updates of a sender that sends too many.
    "rate",
    # Frames beyond what one exchange may bring.
    "items",
    # Parts, and changes of parts, that all owners' records together have no room for.
    "store",
    # A reason that has no counter of its own.
    "other",
)  # fmt: skip


def _count(key: str, name: str, unit: str, sentence: str) -> Statistic:
    return Statistic(key, f"gossamer_{name}_total", Kind.COUNTER, unit, sentence)


PROTOCOL: tuple[Statistic, ...] = (
    *family(
        "gossamer_datagrams_total", Kind.COUNTER, "datagrams",
        "Datagrams of the protocol that this peer sent or received.",
        "direction", {"datagrams_sent": "sent", "datagrams_received": "received"},
    ),
    *family(
        "gossamer_datagram_bytes_total", Kind.COUNTER, "bytes",
        "Bytes in datagrams of the protocol, without the headers of IP and UDP.",
        "direction", {"bytes_sent": "sent", "bytes_received": "received"},
    ),
    *family(
        "gossamer_frames_total", Kind.COUNTER, "frames",
        "Frames that exchanges of state sent or received over streams.",
        "direction", {"frames_sent": "sent", "frames_received": "received"},
    ),
    *family(
        "gossamer_stream_bytes_total", Kind.COUNTER, "bytes",
        "Bytes of frames over streams, without the headers of IP and TCP.",
        "direction", {"stream_bytes_sent": "sent", "stream_bytes_received": "received"},
    ),
    *family(
        "gossamer_probes_total", Kind.COUNTER, "probes",
        "Probes that did not end with a direct answer, by what became of them.",
        "outcome",
        {
            "probes_failed": "failed",
            "probes_relayed": "relayed",
            "probes_by_stream_only": "by_stream_only",
            "probes_abandoned": "abandoned",
            "probes_unreachable": "unreachable",
            "probes_definite": "definite",
        },
    ),
    _count(
        "accusations_withheld", "accusations_withheld", "accusations",
        "Failed probes that led to no accusation, since this peer may itself be cut off.",
    ),
    _count(
        "lags", "lags", "lags",
        "Times that this process was stopped or starved, so that it dropped what it waited for.",
    ),
    *family(
        "gossamer_exchanges_total", Kind.COUNTER, "exchanges",
        "Exchanges of state that this peer began, by what they were begun for.",
        "purpose",
        {
            "exchanges_join": "join",
            "exchanges_heal": "heal",
            "exchanges_repair": "repair",
            "exchanges_fetch": "fetch",
        },
    ),
    _count(
        "exchanges_failed", "exchanges_failed", "exchanges",
        "Exchanges of state that ended before both sides had all.",
    ),
    _count(
        "exchanges_cut", "exchanges_cut", "exchanges",
        "Exchanges of state that were cut short by a limit, and are continued later.",
    ),
    _count(
        "gaps", "gaps", "gaps",
        "Changes of a part that did not follow what this peer had, so that it asked for the rest.",
    ),
    _count(
        "receipts_given_up", "receipts_given_up", "receipts",
        "Questions whether another peer holds a record that were given up.",
    ),
    _count(
        "rumors_too_large", "rumors_too_large", "rumors",
        "Updates that are too large for a datagram and travel in exchanges alone.",
    ),
    _count(
        "name_conflicts", "name_conflicts", "conflicts",
        "Times that another living process was found to use this peer's name.",
    ),
    _count(
        "own_part_ahead", "own_part_ahead", "parts",
        "Times that others had a later version of this peer's own part than it had itself.",
    ),
    _count(
        "raises_withheld", "epoch_raises_withheld", "raises",
        "Times that this peer did not take a higher epoch, since it had just taken one.",
    ),
    _count(
        "unknown", "unknown", "items",
        "Messages, updates, entries and frames of kinds that only later versions know.",
    ),
    *family(
        "gossamer_refused_by_others_total", Kind.COUNTER, "refusals",
        "Times that another peer said that it refuses this one: for its key, or for its epoch,"
        " which lies too far ahead of the other's clock.",
        "reason", {"keys_refused_by_others": "key", "refused_by_others": "epoch"},
    ),
    *family(
        "gossamer_refused_total", Kind.COUNTER, "items",
        "Datagrams, frames, messages and updates that were not believed and changed nothing.",
        "reason", {f"refused_{reason}": reason for reason in _REFUSALS},
    ),
)  # fmt: skip
"""What the core counts as it happens."""


class Counters(dict[str, int]):
    """The counters of one peer, all of them from zero."""

    def __init__(self) -> None:
        super().__init__((statistic.key, 0) for statistic in PROTOCOL)

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a counter, which is declared: hostile input chooses no names."""
        self[name] += amount
