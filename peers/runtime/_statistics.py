from gossamer.gossip import Kind, Statistic, family

DRIVER: tuple[Statistic, ...] = (
    *family(
        "gossamer_streams_total",
        Kind.COUNTER,
        "streams",
        "Streams for exchanges and probes: opened by this peer, accepted from others, refused"
        " since too many were open, or failed to open.",
        "outcome",
        {
            "streams_opened": "opened",
            "streams_accepted": "accepted",
            "streams_refused": "refused",
            "streams_failed": "failed",
        },
    ),
    Statistic(
        "ticks",
        "gossamer_ticks_total",
        Kind.COUNTER,
        "ticks",
        "Times that the clock woke the protocol or what follows it.",
    ),
)

UPTIME = Statistic(
    "uptime",
    "gossamer_uptime_seconds",
    Kind.GAUGE,
    "seconds",
    "Time since this peer was started.",
    in_info=False,
)
