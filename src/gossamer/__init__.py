"""A service registry with no server to run: peers that gossip, and lookups that always answer."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gossamer.peers import (
        BadInput as BadInput,
        ConfigError as ConfigError,
        Conflict as Conflict,
        GossamerError as GossamerError,
        Instance as Instance,
        Lookup as Lookup,
        MemberInfo as MemberInfo,
        NoInstanceError as NoInstanceError,
        NotFound as NotFound,
        Override as Override,
        Peer as Peer,
        PeerConfig as PeerConfig,
        RoundRobin as RoundRobin,
        ThreadedPeer as ThreadedPeer,
        TooLarge as TooLarge,
        Unavailable as Unavailable,
        WaitTimeout as WaitTimeout,
        Watch as Watch,
        WeightedRandom as WeightedRandom,
        open_peer as open_peer,
        run_in_thread as run_in_thread,
    )

    __version__: str
else:
    # Imported on use: `gossamer lookup` in a shell script has no time for trio,
    # and gossip/ is loaded through this file too and must not bring the runtime along.
    _LAZY = (
        "BadInput",
        "ConfigError",
        "Conflict",
        "GossamerError",
        "Instance",
        "Lookup",
        "MemberInfo",
        "NoInstanceError",
        "NotFound",
        "Override",
        "Peer",
        "PeerConfig",
        "RoundRobin",
        "ThreadedPeer",
        "TooLarge",
        "Unavailable",
        "WaitTimeout",
        "Watch",
        "WeightedRandom",
        "open_peer",
        "run_in_thread",
    )

    def __getattr__(name):
        if name == "__version__":
            from importlib.metadata import version

            value = version("gossamer")
        elif name in _LAZY:
            from gossamer import peers

            value = getattr(peers, name)
        else:
            raise AttributeError(f"module 'gossamer' has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *_LAZY, "__version__"})
