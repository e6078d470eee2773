"""What the registry measures."""

from collections.abc import Iterator

from gossamer.gossip import Kind, Metric, Statistic, family, measured

from ._losses import Losses
from ._ownership import Ownership
from ._preservation import Preservation
from ._services import Services
from ._subscription import Subscriptions
from ._view import View


def _gauge(key: str, unit: str, sentence: str, name: str | None = None) -> Statistic:
    return Statistic(key, f"gossamer_{name or key}", Kind.GAUGE, unit, sentence)


def _count(key: str, unit: str, sentence: str, name: str | None = None) -> Statistic:
    return Statistic(key, f"gossamer_{name or key}_total", Kind.COUNTER, unit, sentence)


REGISTRY: tuple[Statistic, ...] = (
    _gauge("instances", "instances", "Instances that this peer shows, of all owners."),
    _gauge("instances_owned", "instances", "Instances that this peer owns."),
    _gauge(
        "instances_unverified",
        "instances",
        "Instances whose owner this peer is not in touch with, so that they may be out of date.",
    ),
    _gauge("services", "services", "Services that have an instance."),
    _gauge("leases", "leases", "Instances of this peer's own that need heartbeats."),
    _count("leases_expired", "leases", "Leases that ended without a heartbeat in time."),
    _count(
        "lease_stalls",
        "stalls",
        "Times that leases were extended, since this process itself was stopped or starved.",
    ),
    *family(
        "gossamer_interventions_waiting",
        Kind.GAUGE,
        "interventions",
        "Overrides and removals, and reports of services, that wait for the instance's owner.",
        "kind",
        {"overrides_waiting": "override", "reports_waiting": "report"},
    ),
    *family(
        "gossamer_interventions_dropped_total",
        Kind.COUNTER,
        "interventions",
        "Overrides and removals, and reports of services, that were dropped for later ones, since"
        " too many waited.",
        "kind",
        {"overrides_dropped": "override", "reports_dropped": "report"},
    ),
    _count(
        "overrides_adopted",
        "overrides",
        "Overrides, removals and reports made at other peers that this peer took over as owner.",
    ),
    _count(
        "taken_over",
        "instances",
        "Instances that this peer took over from another owner upon a heartbeat.",
        "instances_taken_over",
    ),
    _count(
        "given_up",
        "instances",
        "Instances that this peer gave up, since another peer has taken them over.",
        "instances_given_up",
    ),
    _count(
        "unpublished",
        "records",
        "Changes of this peer's own that did not fit into its part.",
        "records_unpublished",
    ),
    _count(
        "refused_records",
        "records",
        "Records of other peers that cannot be read, and were not believed.",
        "records_refused",
    ),
    _count(
        "unknown_records",
        "records",
        "Records of families and forms that only later versions know, and that are passed on.",
        "records_unknown",
    ),
    _gauge(
        "refused_owners",
        "records",
        "Records of one instance by more owners than a limit allows, which are not looked at.",
        "records_beyond_owners",
    ),
    _gauge(
        "peers_preserved",
        "members",
        "Lost members whose instances self-preservation keeps.",
        "members_preserved",
    ),
    _gauge("instances_preserved", "instances", "Instances that self-preservation keeps."),
    _gauge("subscriptions", "subscriptions", "Watches and waiting questions for changes."),
)


def registry_metrics(
    own: Ownership,
    view: View,
    shown: Services,
    preservation: Preservation,
    losses: Losses,
    subscriptions: Subscriptions,
) -> Iterator[Metric]:
    """Return what the parts of one registry measure."""
    values = {
        "instances": shown.instances,
        "instances_owned": own.instances,
        "instances_unverified": shown.unverified,
        "services": len(shown.snapshots),
        "leases": len(own.leases),
        "leases_expired": own.expired,
        "lease_stalls": own.leases.stalls,
        "overrides_waiting": len(own.interventions),
        "overrides_dropped": own.interventions.dropped,
        "overrides_adopted": own.adopted,
        "reports_waiting": len(own.reports),
        "reports_dropped": own.reports.dropped,
        "taken_over": own.taken_over,
        "given_up": own.given_up,
        "unpublished": own.unpublished,
        "refused_records": view.refused + own.unresumed,
        "unknown_records": view.unknown,
        "refused_owners": view.waiting,
        "peers_preserved": len(preservation.kept),
        "instances_preserved": len(losses.instances()),
        "subscriptions": len(subscriptions),
    }
    return measured(REGISTRY, values)
