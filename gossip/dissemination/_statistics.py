from gossamer.gossip.basis import Kind, Statistic, family

from ._classes import CLASSES

RUMORS = (
    *family(
        "gossamer_rumors",
        Kind.GAUGE,
        "rumors",
        "Updates that this peer still passes on, by class.",
        "class",
        {f"rumors_{kind.name}": kind.name for kind in CLASSES},
    ),
    Statistic(
        "rumors_dropped",
        "gossamer_rumors_dropped_total",
        Kind.COUNTER,
        "rumors",
        "Updates that found no room among those to be passed on; repair carries them.",
    ),
)
