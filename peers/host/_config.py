"""The configuration of a peer: arguments, flags, or a TOML file with the same names."""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from typing import Any, Literal, Self

from gossamer.gossip import NAME_LIMIT, Address, ConfigError as ProtocolError, GossipConfig
from gossamer.peers.model import (
    ZONE_LENGTH,
    BadInput,
    ConfigError,
    check_text,
    is_wildcard,
    numeric,
    parse_address,
)

from ._toml import read_table, unknown_key

# Seeds are an operator's list, and the peer tries all of them again and again.
SEED_LIMIT = 64

_PROFILES = ("local", "lan", "wan")
# Settings of the command line, which it reads from the same file.
_BESIDE = ("log_format", "log_level")
# Settings of the core that are fields of `PeerConfig`.
_NOT_PROTOCOL = ("name", "cluster", "zone")
_OFF = "off"
# Fronts that have a setting of their own, beside `serve`.
_SHORT_FORMS = ("http", "dns")
# Each is a socket and a task for as long as the peer runs.
ADDRESS_LIMIT = 16


def default_name() -> str:
    """Return the name of this host."""
    return socket.gethostname() or "peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerConfig:
    """The settings of one peer; the constructor checks them together.

    Raises `ConfigError` that names the field, or both fields if two values cannot work together.
    """

    name: str = field(default_factory=default_name)
    """The peer's identity in the mesh: unique, and the same after a restart.  The default is the
    host's name."""

    bind: str = "0.0.0.0:7940"
    """Where the peer listens for gossip, UDP and TCP; port 0 means any free port."""

    advertise: str | None = None
    """Where others reach the peer, if not at the bound address; port 0 means the bound port."""

    join: Sequence[str] = ()
    """Seeds: gossip addresses of other peers, which the peer keeps and tries again and again."""

    cluster: str = "default"
    """The mesh that the peer belongs to; it ignores peers of other clusters."""

    zone: str | None = None
    """Where the peer runs; the default zone of its instances."""

    http: str | Sequence[str] | None = None
    """Where the peer serves HTTP: one address, or several; None or "off" means no HTTP."""

    dns: str | Sequence[str] | None = None
    """Where it serves DNS; this version has no such front, and does not start with one."""

    serve: Mapping[str, str | Sequence[str]] = field(default_factory=dict, hash=False)
    """Where the peer serves each front, by the front's name; `http` is short for one of them."""

    data_dir: str | os.PathLike[str] | None = None
    """The directory that keeps the peer's epoch, for hosts whose clock may be set back."""

    key_file: str | os.PathLike[str] | None = None
    """The file with the keys of the mesh; other users must not be able to read it (mode 0600)."""

    profile: Literal["local", "lan", "wan"] = "lan"
    """The kind of network for which the protocol's times are made."""

    protocol: Mapping[str, float] = field(default_factory=dict, hash=False)
    """Settings of the protocol that replace those of the profile, such as `probe_interval`."""

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str], **overrides: Any) -> Self:
        """Return the settings of a file; `overrides` win, except for None.

        It ignores the settings of the command line.
        Raises `ConfigError` that names the file and the key.
        """
        given = read_toml(path)
        for name in _BESIDE:
            given.pop(name, None)
        overrides = _given(overrides)
        serve = given.get("serve", {})
        given["serve"] = {name: at for name, at in serve.items() if name not in overrides}
        try:
            return cls(**{**given, **overrides})
        except ConfigError as error:
            written = given.keys() - overrides.keys()
            written = written.union(given.get("protocol", ()), given["serve"])
            if error.field is None or error.field not in written:
                raise
            raise ConfigError(error.field, f"{path}: {error}") from None

    def merge(self, **overrides: Any) -> Self:
        """Return these settings with some replaced; None means not given."""
        unknown = overrides.keys() - {each.name for each in fields(self)}
        if unknown:
            raise unknown_key(min(unknown), [each.name for each in fields(self)], "")
        given = _given(overrides)
        # A short form that is given replaces what `serve` says of the same front.
        serve = {name: at for name, at in self.serve.items() if name not in given}
        return replace(self, **{"serve": serve, **given})

    def gossip(self) -> GossipConfig:
        """Return the settings of the protocol's core."""
        try:
            return GossipConfig.profile(
                self.profile,
                name=self.name,
                cluster=self.cluster,
                zone=self.zone or "",
                **self.protocol,
            )
        except ProtocolError as error:
            raise ConfigError(error.fields[0], str(error)) from None

    @property
    def fronts(self) -> dict[str, tuple[str, ...]]:
        """The addresses of each configured front, from `serve` and its short forms."""
        found = {name: (at,) if isinstance(at, str) else tuple(at) for name, at in self._served()}
        return {name: addresses for name, addresses in found.items() if addresses}

    def _served(self) -> Iterator[tuple[str, str | Sequence[str]]]:
        for name in _SHORT_FORMS:
            at = getattr(self, name)
            if at is not None:
                yield name, at
        yield from self.serve.items()

    @property
    def seeds(self) -> tuple[Address, ...]:
        """The seeds as hosts and ports; names are not resolved."""
        return tuple(parse_address(seed, "join") for seed in self.join)

    def __post_init__(self) -> None:
        try:
            self._check_names()
            self._check_addresses()
        except ConfigError:
            raise
        except BadInput as error:
            raise ConfigError(error.field or "", str(error)) from None
        self._check_choices()
        self._check_paths()
        self._check_protocol()
        self._check_together()

    # Frozen, but callers may hand in a list, or "off" where None is meant.
    def _settle(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_names(self) -> None:
        for label in ("name", "cluster"):
            text = check_text(label, getattr(self, label), NAME_LIMIT)
            if any(character.isspace() for character in text):
                raise BadInput(label, f"{label} must not contain spaces; use a dash")
        if self.zone is not None:
            check_text("zone", self.zone, ZONE_LENGTH)

    def _check_addresses(self) -> None:
        parse_address(self.bind, "bind")
        if isinstance(self.join, str):
            raise BadInput("join", f'join must be a list of HOST:PORT, as in ["{self.join}"]')
        if not isinstance(self.join, Sequence):
            raise BadInput("join", f"join must be a list of HOST:PORT, not {self.join!r}")
        if len(self.join) > SEED_LIMIT:
            raise BadInput(
                "join", f"join must name at most {SEED_LIMIT} seeds; two or three are enough"
            )
        self._settle("join", tuple(dict.fromkeys(self.join)))
        for seed in self.join:
            check_seed(seed)
        if self.advertise is not None:
            host, _ = parse_address(self.advertise, "advertise")
            if is_wildcard(host):
                raise BadInput(
                    "advertise",
                    f"advertise {self.advertise} is not an address that others can reach:"
                    " give an address of this host",
                )
        for name in _SHORT_FORMS:
            self._settle(name, _served_at(name, getattr(self, name)))
        if not isinstance(self.serve, Mapping):
            raise BadInput("serve", f"serve must be a table of addresses, not {self.serve!r}")
        serve = {str(name): _served_at(str(name), at) for name, at in self.serve.items()}
        self._settle("serve", {name: at for name, at in serve.items() if at is not None})
        for name in _SHORT_FORMS:
            if name in self.serve and getattr(self, name) is not None:
                raise BadInput(name, f"{name} is given twice, as {name} and in serve: give it once")

    def _check_choices(self) -> None:
        if self.profile not in _PROFILES:
            known = ", ".join(_PROFILES)
            raise ConfigError("profile", f"profile must be one of {known}, not {self.profile!r}")

    def _check_paths(self) -> None:
        for label in ("data_dir", "key_file"):
            value = getattr(self, label)
            if value is None:
                continue
            if not isinstance(value, str | os.PathLike) or not os.fspath(value):
                raise ConfigError(label, f"{label} must be a path, not {value!r}")
            if "\0" in str(os.fspath(value)):
                raise ConfigError(label, f"{label} must not contain a null character")

    def _check_protocol(self) -> None:
        if not isinstance(self.protocol, Mapping):
            raise ConfigError(
                "protocol", f"protocol must be a table of settings, not {self.protocol!r}"
            )
        known = [each.name for each in fields(GossipConfig) if each.name not in _NOT_PROTOCOL]
        for key in self.protocol:
            if key not in known:
                raise unknown_key(key, known, " in protocol")
        self._settle("protocol", dict(self.protocol))
        self.gossip()

    # Gossip takes UDP and TCP, and which of them a front takes is its own affair: no two share one.
    def _check_together(self) -> None:
        binds = [("bind", self.bind)]
        binds += [(name, text) for name, texts in self.fronts.items() for text in texts]
        for (label, text), (other, other_text) in combinations(binds, 2):
            at, other_at = parse_address(text, label), parse_address(other_text, other)
            port = at[1]
            if _overlap(at, other_at, dual=label == "bind" and numeric(at[0]) == "::"):
                raise ConfigError(
                    other,
                    f"{other} {other_text} and {label} {text} both use port {port}:"
                    " give them different ports",
                )


def _served_at(name: str, at: object) -> str | tuple[str, ...] | None:
    """Return one address as it is, several as a tuple, and None for none at all."""
    if at is None or at == _OFF:
        return None
    if isinstance(at, str):
        parse_address(at, name)
        return at
    if not isinstance(at, Sequence):
        raise BadInput(name, f"{name} must be HOST:PORT or a list of them, not {at!r}")
    if len(at) > ADDRESS_LIMIT:
        raise BadInput(name, f"{name} must have at most {ADDRESS_LIMIT} addresses; give fewer")
    if isinstance(at, bytes | bytearray):
        raise BadInput(name, f"{name} must be HOST:PORT or a list of them, not {at!r}")
    if _OFF in at:
        if all(each == _OFF for each in at):
            return None
        raise BadInput(
            name, f'{name} is "off" and has an address as well: give "off" alone, or leave it out'
        )
    for each in at:
        parse_address(each, name)
    return tuple(at) or None


def _overlap(one: Address, other: Address, *, dual: bool) -> bool:
    """Whether two addresses cannot both be bound; port 0 is a different port each time.

    `dual` tells that one is the gossip address `::`, which takes IPv4 as well; a front's does not.
    """
    if one[1] != other[1] or one[1] == 0:
        return False
    first, second = (numeric(host) or host.lower() for host, _ in (one, other))
    if first == second:
        return True
    known = numeric(first) is not None and numeric(second) is not None
    if known and (":" in first) != (":" in second):
        return dual
    return is_wildcard(first) or is_wildcard(second)


def check_seed(seed: object) -> Address:
    """Return host and port of a possible seed; raises `BadInput` for `join`."""
    host, port = parse_address(seed, "join")
    if port == 0:
        raise BadInput("join", f"join {seed!r} needs a port, as in {host}:7940")
    if is_wildcard(host):
        raise BadInput("join", f"join {seed!r} is not the address of a peer: give its host")
    return host, port


def read_toml(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the settings in a file, with their types checked.

    Besides those of a peer, it may have those of the command line, `log_format` and `log_level`.
    Raises `ConfigError` that names the file and the key.
    """
    return read_table(path, [*(each.name for each in fields(PeerConfig)), *_BESIDE])


def _given(overrides: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in overrides.items() if value is not None}
