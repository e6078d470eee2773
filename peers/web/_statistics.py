"""What an HTTP server measures, and its names for one front of several."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gossamer.gossip import Kind, Metric, Statistic, family

SERVER: tuple[Statistic, ...] = (
    Statistic(
        "connections",
        "gossamer_http_connections_total",
        Kind.COUNTER,
        "connections",
        "Connections that were accepted.",
    ),
    Statistic(
        "connections_open",
        "gossamer_http_connections_open",
        Kind.GAUGE,
        "connections",
        "Connections that are open now.",
    ),
    Statistic(
        "connections_refused",
        "gossamer_http_connections_refused_total",
        Kind.COUNTER,
        "connections",
        "Connections beyond the limit, which were closed with status 503 or without an answer.",
    ),
    Statistic(
        "requests",
        "gossamer_http_requests_total",
        Kind.COUNTER,
        "requests",
        "Requests whose head was read.",
    ),
    *family(
        "gossamer_http_answers_total",
        Kind.COUNTER,
        "answers",
        "Answers by the class of their status.",
        "class",
        {f"answers_{each}": each for each in ("2xx", "4xx", "5xx")},
    ),
    Statistic(
        "streams",
        "gossamer_http_streams_total",
        Kind.COUNTER,
        "streams",
        "Answers without an end, such as watches, that were begun.",
    ),
    Statistic(
        "timeouts",
        "gossamer_http_timeouts_total",
        Kind.COUNTER,
        "connections",
        "Connections that were closed since the client was too slow.",
    ),
)


def server_metrics(front: str, counters: Mapping[str, int]) -> Iterator[Metric]:
    """Return what the server of one front has counted; keys and labels name the front."""
    for each in SERVER:
        labels = (("front", front), *each.labels)
        yield Metric(replace(each, key=f"{front}_{each.key}", labels=labels), counters[each.key])
