"""What is counted, by name; all of it from zero, so that a reader need not guess.

`refused_...` are datagrams, frames and pieces of them that were not believed and changed nothing.
"""

COUNTERS = (
    "datagrams_sent",
    "datagrams_received",
    "bytes_sent",
    "bytes_received",
    "frames_sent",
    "frames_received",
    "stream_bytes_sent",
    "stream_bytes_received",
    # Probes and what became of them.
    "probes_failed",
    "probes_relayed",
    "probes_by_stream_only",
    "probes_abandoned",
    "probes_unreachable",
    "probes_definite",
    "accusations_withheld",
    "lags",
    # Exchanges of state, by what they were begun for.
    "exchanges_join",
    "exchanges_heal",
    "exchanges_repair",
    "exchanges_fetch",
    "exchanges_failed",
    "exchanges_cut",
    "gaps",
    "receipts_given_up",
    "rumors_too_large",
    "name_conflicts",
    "refused_paths",
    "own_part_ahead",
    "raises_withheld",
    # The envelope is not one of ours, or damaged.
    "refused_garbage",
    "refused_truncated",
    "refused_oversize",
    "refused_version",
    "refused_cluster",
    # A key that is not accepted here, or none where one is demanded.
    "refused_key",
    "refused_checksum",
    # Datagrams that were heard before, or are too old to tell.
    "refused_replay",
    "refused_malformed",
    # Meant for another life, or said by one that is over.
    "refused_epoch",
    "refused_former_life",
    "refused_own_name",
    # We were told that our key is not accepted.
    "keys_refused_by_others",
    # We were refused: our clock is more than a day ahead of another peer's.
    "refused_by_others",
    # Messages, updates, entries and frames of kinds that a later version knows: no damage.
    "unknown",
    # A reason that has no counter of its own.
    "refused_other",
    # Single messages and updates that cannot be.
    "refused_message",
    "refused_update",
    "refused_member",
    "refused_entry",
    "refused_epoch_ahead",
    "refused_incarnation",
    "refused_nonce",
    "refused_tombstone",
    "refused_part_tombstone",
    # More than a limit allows.
    "refused_members",
    "refused_parts",
    "refused_part_size",
    "refused_relays",
    "refused_exchanges",
    "refused_waiting",
    # Datagrams and updates of a sender that sends too many.
    "refused_rate",
    # Frames beyond what one exchange may bring.
    "refused_items",
    # Parts, and changes of parts, that all owners' records together have no room for.
    "refused_store",
)


class Counters(dict[str, int]):
    """The counters of one peer, all of them from zero."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(COUNTERS, 0))

    def add(self, name: str, amount: int = 1) -> None:
        """Add to a counter."""
        self[name] += amount
