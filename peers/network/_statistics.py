"""What an endpoint measures."""

from collections.abc import Iterator, Mapping

from gossamer.gossip import Kind, Metric, Statistic, family

ENDPOINT: tuple[Statistic, ...] = (
    *family(
        "gossamer_datagrams_unsent_total",
        Kind.COUNTER,
        "datagrams",
        "Datagrams that could not be sent, by what kept them.",
        "reason",
        {
            "sends_unroutable": "unroutable",
            "sends_buffer_full": "buffer_full",
            "sends_unreachable": "unreachable",
            "sends_failed": "failed",
        },
    ),
    *family(
        "gossamer_socket_errors_total",
        Kind.COUNTER,
        "errors",
        "Errors of the operating system while datagrams or streams were taken in.",
        "kind",
        {"receive_errors": "receive", "accept_errors": "accept"},
    ),
)


def endpoint_metrics(counters: Mapping[str, int]) -> Iterator[Metric]:
    """Return what an endpoint has counted; one that counts less has nothing of the rest."""
    for each in ENDPOINT:
        yield Metric(each, counters.get(each.key, 0))
