from gossamer.gossip import Kind, Statistic

KEYS = (
    Statistic(
        "refused_key_records",
        "gossamer_key_records_refused_total",
        Kind.COUNTER,
        "records",
        "Key records of other peers that this peer could not read, or that contained a decision"
        " with a wrong proof or an implausible stamp.",
    ),
)
"""The statistics of keys; a peer without keys shows 0."""
