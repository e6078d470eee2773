from gossamer.gossip.basis import Kind, Statistic, family
from gossamer.gossip.state import Status

MEMBERS = (
    *(
        Statistic(
            f"members_{status.label}",
            "gossamer_members",
            Kind.GAUGE,
            "members",
            "Members that this peer lists, itself included, by status.",
            (("status", status.label),),
            in_info=False,
        )
        for status in Status
    ),
    Statistic(
        "suspicions",
        "gossamer_suspicions",
        Kind.GAUGE,
        "members",
        "Members whose suspicion has not ended yet.",
    ),
    Statistic(
        "doubts",
        "gossamer_doubts",
        Kind.GAUGE,
        "accusations",
        "Accusations that came many at a time; the accused members have a while to refute them.",
    ),
    *family(
        "gossamer_tombstones",
        Kind.GAUGE,
        "tombstones",
        "What is remembered of members that are forgotten, and of parts that were dropped.",
        "kind",
        {"member_tombstones": "member"},
    ),
)

ROUND_TRIPS = Statistic(
    "probe_round_trips",
    "gossamer_probe_round_trip_seconds",
    Kind.HISTOGRAM,
    "seconds",
    "Time from the ping of a probe to the direct answer of its target.",
    in_info=False,
)
# From a rack to another continent, and beyond to what load makes of it.
ROUND_TRIP_BOUNDS = (
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
)  # fmt: skip
