from gossamer.gossip import Kind, Statistic

KEYS = (
    Statistic(
        "refused_key_records",
        "gossamer_key_records_refused_total",
        Kind.COUNTER,
        "records",
        "What other peers say of their keys that cannot be read, or was not decided by a holder"
        " of a key that is accepted here.",
    ),
)
"""What is measured of keys; a peer without any has zeros."""
