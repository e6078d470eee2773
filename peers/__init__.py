"""A running peer: sockets, disk, the registry as users see it, HTTP."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._open import open_peer as open_peer
    from ._thread import (
        ThreadedPeer as ThreadedPeer,
        WaitTimeout as WaitTimeout,
        run_in_thread as run_in_thread,
    )
    from .host import PeerConfig as PeerConfig, read_toml as read_toml
    from .keys import (
        KeyActions as KeyActions,
        make_key as make_key,
        read_key_file as read_key_file,
        write_key_file as write_key_file,
    )
    from .model import (
        METADATA_VALUE_LENGTH as METADATA_VALUE_LENGTH,
        RECORD_BYTES as RECORD_BYTES,
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
        Preserved as Preserved,
        Registration as Registration,
        RegistryConfig as RegistryConfig,
        ServiceSummary as ServiceSummary,
        TooLarge as TooLarge,
        Unavailable as Unavailable,
        format_address as format_address,
        parse_address as parse_address,
    )
    from .network import Endpoint as Endpoint, Network as Network, SocketNetwork as SocketNetwork
    from .registry import Registry as Registry, Subscription as Subscription
    from .runtime import Peer as Peer, Watch as Watch
    from .selection import (
        Policy as Policy,
        RoundRobin as RoundRobin,
        WeightedRandom as WeightedRandom,
    )
else:
    # Imported on use: the registry is free of I/O for who imports it alone, as the simulator does,
    # and a command has no time for a runtime that it does not need.
    _HOMES = {
        "_open": ("open_peer",),
        "_thread": ("ThreadedPeer", "WaitTimeout", "run_in_thread"),
        "host": ("PeerConfig", "read_toml"),
        "keys": ("KeyActions", "make_key", "read_key_file", "write_key_file"),
        "model": (
            "METADATA_VALUE_LENGTH",
            "RECORD_BYTES",
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
            "Preserved",
            "Registration",
            "RegistryConfig",
            "ServiceSummary",
            "TooLarge",
            "Unavailable",
            "format_address",
            "parse_address",
        ),
        "network": ("Endpoint", "Network", "SocketNetwork"),
        "registry": ("Registry", "Subscription"),
        "runtime": ("Peer", "Watch"),
        "selection": ("Policy", "RoundRobin", "WeightedRandom"),
    }
    _LAZY = {name: home for home, names in _HOMES.items() for name in names}

    def __getattr__(name):
        if name not in _LAZY:
            raise AttributeError(f"module 'gossamer.peers' has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"gossamer.peers.{_LAZY[name]}"), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *_LAZY})
