"""The protocols of the papers, as settings of Gossamer.

Each omits what Gossamer adds: updates sent at once along trees, probes over streams, witnesses that
probe at once, isolation, the guard for a peer that was stopped, repair by roots.
"""

from typing import Any

# Roots that differ are repaired only after this time: in no experiment.
_NEVER = 10**8

SWIM_2002: dict[str, Any] = {
    "probe_interval": 2.0,
    "probe_timeout": 0.5,
    "indirect_probes": 1,
    "nacks": False,
    "stream_probes": False,
    "tell_suspects": False,
    "witnesses": False,
    "stop_guard": False,
    "awareness_limit": 1,
    "suspicion_max_multiplier": 1,
    "isolation_limit": 0.0,
    "eager": False,
    "rounds": False,
    "settle": _NEVER,
}
"""Das, Gupta, Motivala 2002, section 5: a period of 2 s, one relay, updates by piggyback."""

_MEMBERLIST: dict[str, Any] = {
    "suspicion_multiplier": 5,
    "suspicion_max_multiplier": 1,
    "awareness_limit": 1,
    "nacks": False,
    "tell_suspects": False,
    "witnesses": False,
    "stop_guard": False,
    "isolation_limit": 0.0,
    "eager": False,
    # memberlist compares whole states every 30 s, and three times as rarely with 128 members.
    "settle": 90.0,
}

# Alpha 5 makes k = 3, as in the paper; its limit of 8 on the score is a factor of 9.
_PROBE = {"awareness_limit": 9, "nacks": True}
_SUSPICION = {"suspicion_max_multiplier": 6}
_BUDDY = {"tell_suspects": True}

LIFEGUARD_2017: dict[str, dict[str, Any]] = {
    "SWIM": _MEMBERLIST,
    "LHA-Probe": {**_MEMBERLIST, **_PROBE},
    "LHA-Suspicion": {**_MEMBERLIST, **_SUSPICION},
    "Buddy": {**_MEMBERLIST, **_BUDDY},
    "Lifeguard": {**_MEMBERLIST, **_PROBE, **_SUSPICION, **_BUDDY},
}
"""Dadgar, Phillips, Currey 2017, table I: memberlist's SWIM, each component alone, and all."""
