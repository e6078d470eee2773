from gossamer.gossip.basis import Kind, Statistic, family

REPLICAS = (
    Statistic(
        "parts",
        "gossamer_parts",
        Kind.GAUGE,
        "parts",
        "Parts that this peer holds, its own included, of owners that have published something.",
    ),
    Statistic(
        "records",
        "gossamer_records",
        Kind.GAUGE,
        "records",
        "Records in all these parts.",
    ),
    Statistic(
        "record_bytes",
        "gossamer_record_bytes",
        Kind.GAUGE,
        "bytes",
        "Size of all these records, as it counts against the limit.",
    ),
    *family(
        "gossamer_tombstones",
        Kind.GAUGE,
        "tombstones",
        "What is remembered of members that are forgotten, and of parts that were dropped.",
        "kind",
        {"part_tombstones": "part"},
    ),
    Statistic(
        "waiting_deltas",
        "gossamer_waiting_deltas",
        Kind.GAUGE,
        "deltas",
        "Changes of parts that wait for the change before them.",
    ),
)
