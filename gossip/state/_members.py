"""The member table, the updates about members (`Updates`), and their order of precedence.

The updates about one member have a total order: by epoch, then "left" (which ends an epoch), then
by incarnation, then alive < suspect < dead (Das, Gupta, Motivala 2002, section 4.2).
Only a peer itself raises its incarnation or its epoch.
Every update describes the member in full, so that a peer can use it that never heard of the member.
But peers believe the address and the tail only in an update that says that the member is alive, so
that all peers have the same ones.

    [0, name, epoch, incarnation, status, host, port, zone, nonce, accuser, capabilities, ...]

The first ten items are frozen; the items behind them are the tail (_capabilities.py).
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

from gossamer.gossip.basis import (
    NAME_LIMIT,
    ZONE_LIMIT,
    Malformed,
    array,
    decode,
    join_tail,
    known_items,
    split_tail,
    text,
    whole,
)

from ._capabilities import TAIL_LIMIT, Capability, capabilities_of

Address = tuple[str, int]

HOST_LIMIT = 64
# Refuting needs far less, and no forged jump can exhaust the 64 bits.
INCARNATION_LIMIT = 1 << 48
INCARNATION_JUMP = 1 << 20
# Milliseconds until the year 6429: far from where counting further would overflow 64 bits.
EPOCH_LIMIT = 1 << 47
NONCE_LIMIT = (1 << 64) - 1
# A datagram to one of these hosts would reach no peer, or all hosts.
_UNUSABLE_HOSTS = frozenset({"", "0.0.0.0", "::", "255.255.255.255"})


class Status(IntEnum):
    """The status of a member at a peer; the order is the order of precedence."""

    living: bool
    """Whether the member counts as living: alive or suspect."""

    ALIVE = 0
    SUSPECT = 1
    DEAD = 2
    LEFT = 3

    def __init__(self, rank: int) -> None:
        # Not a property, because each update reads it several times.
        self.living = rank <= 1

    @property
    def label(self) -> str:
        """The word that users read."""
        return self.name.lower()


@dataclass(slots=True)
class Member:
    """A peer as this peer's table sees it."""

    name: str
    epoch: int
    incarnation: int
    status: Status
    address: Address
    zone: str
    nonce: int
    since: float
    """When the status last changed, on this peer's clock."""
    fingerprint: int = 0
    encoded: bytes = b""
    """The encoded update that says the same as this row; empty if it was not encoded yet."""
    tail: bytes = b""
    """The items behind the frozen items of its update, as one array; empty if there are none."""

    @property
    def capabilities(self) -> Capability:
        """What the member understands, as far as this version can tell."""
        return capabilities_of(self.tail)

    @property
    def rank(self) -> tuple[int, bool, int, int]:
        """The place of this row's update in the order of precedence."""
        return self.epoch, self.status is Status.LEFT, self.incarnation, self.status


@dataclass(slots=True)
class MemberUpdate:
    """An update about a member; it has an `accuser` if the member is suspect or dead."""

    name: str
    epoch: int
    incarnation: int
    status: Status
    address: Address
    zone: str
    nonce: int
    accuser: str = ""
    definite: bool = False
    """Whether a death was declared on evidence, and not only after silence."""
    tail: bytes = b""
    """The items behind the frozen items, as one array; empty if there are none."""

    @property
    def rank(self) -> tuple[int, bool, int, int]:
        """The place of this update in the order of precedence."""
        return self.epoch, self.status is Status.LEFT, self.incarnation, self.status

    def outranks(self, row: Member) -> bool:
        """Whether this update changes a row."""
        # Each update that arrives asks this; mostly the epoch is the same and nobody left.
        if self.epoch == row.epoch and self.status is not Status.LEFT is not row.status:
            if self.incarnation == row.incarnation:
                return self.status > row.status
            return self.incarnation > row.incarnation
        return self.rank > row.rank

    def encode(self) -> bytes:
        """Return the bytes of the update."""
        return join_tail(
            [
                MEMBER,
                self.name,
                self.epoch,
                self.incarnation,
                DEFINITELY_DEAD if self.definite else int(self.status),
                self.address[0],
                self.address[1],
                self.zone,
                self.nonce,
                self.accuser,
            ],
            self.tail,
        )


# The first item of each update is its kind; 1 is a delta and 2 a head.
MEMBER = 0
FROZEN_ITEMS = 10
_STATUSES = {int(status): status for status in Status}
# The status `dead` of a death on evidence, as it travels.
DEFINITELY_DEAD = 4
_STATUSES[DEFINITELY_DEAD] = Status.DEAD


def parse_member_update(items: list[object]) -> MemberUpdate:
    """Return the update about a member in a decoded array, or raise `Malformed`."""
    known = known_items(items, FROZEN_ITEMS)
    _, name, epoch, incarnation, status, host, port, zone, nonce, accuser = known
    tail = split_tail(items, FROZEN_ITEMS, TAIL_LIMIT)
    if type(status) is not int or status not in _STATUSES:
        raise Malformed("a status is unknown")
    name = text(name, NAME_LIMIT)
    host = text(host, HOST_LIMIT)
    port = whole(port, 65535)
    if not name or not name.isprintable() or host in _UNUSABLE_HOSTS or port == 0:
        raise Malformed("a name or an address is unusable")
    zone = text(zone, ZONE_LIMIT)
    if not zone.isprintable():
        raise Malformed("a zone is unusable")
    return MemberUpdate(
        name,
        whole(epoch, EPOCH_LIMIT),
        whole(incarnation, INCARNATION_LIMIT),
        _STATUSES[status],
        (host, port),
        zone,
        whole(nonce, NONCE_LIMIT),
        text(accuser, NAME_LIMIT),
        status == DEFINITELY_DEAD,
        tail,
    )


# In an exchange of tables, and in a mesh that heals, the same updates come again and again.
@lru_cache(maxsize=4096)
def decode_member_update(data: bytes) -> MemberUpdate:
    """Return the update about a member in `data`, or raise `Malformed`; never change the result."""
    items = array(decode(data))
    if not items or type(items[0]) is not int or items[0] != MEMBER:
        raise Malformed("not an update about a member")
    return parse_member_update(items)


def update_about(member: Member, accuser: str = "") -> MemberUpdate:
    """Return the update that says the same as a row of the table."""
    return MemberUpdate(
        member.name,
        member.epoch,
        member.incarnation,
        member.status,
        member.address,
        member.zone,
        member.nonce,
        accuser,
        tail=member.tail,
    )


def encoded_update(row: Member) -> bytes:
    """Return the bytes of the update that says the same as a row, without an accuser."""
    if not row.encoded:
        row.encoded = update_about(row).encode()
    return row.encoded


@lru_cache(maxsize=4096)
def fingerprint(name: str, epoch: int, incarnation: int, nonce: int) -> int:
    """Return the 64-bit hash that a living member adds to the root.

    The nonce tells two processes apart that began with the same epoch.  If peers took them for one,
    different records under the same version would stay different.
    """
    data = f"{name}\0{epoch}\0{incarnation}\0{nonce}".encode()
    return int.from_bytes(blake2b(data, digest_size=8, person=b"gsmr-member").digest())


class MemberTable:
    """All members except this peer itself, with ordered views that each change updates."""

    def __init__(self, own_name: str) -> None:
        self.rows: dict[str, Member] = {}
        # Names of all living members and this peer, sorted: the order of the rumors' trees.
        self.ring = [own_name]
        # Equal at all peers that know the same living members.
        self.root = 0
        # Names of members that do not live, by status, in the order in which this peer learned it.
        self.dead: dict[str, None] = {}
        self.left: dict[str, None] = {}
        # How many living members are known at an address.
        self._residents: dict[Address, int] = {}
        self._own_name = own_name

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.rows.values())

    def get(self, name: str) -> Member | None:
        """Return the row of `name`, if there is one."""
        return self.rows.get(name)

    @property
    def living(self) -> int:
        """How many members live, this peer included."""
        return len(self.ring)

    def lives_at(self, address: Address) -> bool:
        """Whether a living member is known at `address`."""
        return address in self._residents

    def put(self, update: MemberUpdate, now: float) -> Member:
        """Write an update into the table; the caller has checked that it outranks the row."""
        row = self.rows.get(update.name)
        if row is None:
            row = Member(
                update.name, update.epoch, update.incarnation, update.status,
                update.address, update.zone, update.nonce, now, tail=update.tail,
            )  # fmt: skip
            self.rows[update.name] = row
            self._enter(row)
            return row
        row.encoded = b""
        same_life = update.epoch == row.epoch and update.incarnation == row.incarnation
        if same_life and update.status is Status.SUSPECT and row.status is Status.ALIVE:
            # A suspect still lives, so the ordered views do not change.
            row.status, row.since = Status.SUSPECT, now
            return row
        if update.status is Status.ALIVE and row.status.living and update.address == row.address:
            # Nearly all updates: the member lives on, and only its share of the root changes.
            if row.status is not Status.ALIVE or row.epoch != update.epoch:
                row.since = now
            row.zone, row.nonce, row.tail = update.zone, update.nonce, update.tail
            row.epoch, row.incarnation, row.status = update.epoch, update.incarnation, update.status
            mark = fingerprint(row.name, row.epoch, row.incarnation, row.nonce)
            self.root ^= row.fingerprint ^ mark
            row.fingerprint = mark
            return row
        self._withdraw(row)
        if row.status is not update.status or row.epoch != update.epoch:
            row.since = now
        if update.status is Status.ALIVE or update.epoch != row.epoch:
            row.address, row.zone = update.address, update.zone
            row.nonce, row.tail = update.nonce, update.tail
        row.epoch, row.incarnation, row.status = update.epoch, update.incarnation, update.status
        self._enter(row)
        return row

    def fill(self, members: Iterable[bytes], now: float) -> None:
        """Write updates about many living members at once, which this table does not have yet."""
        for payload in members:
            update = decode_member_update(payload)
            row = self.rows[update.name] = Member(
                update.name, update.epoch, update.incarnation, update.status,
                update.address, update.zone, update.nonce, now,
                fingerprint(update.name, update.epoch, update.incarnation, update.nonce), payload,
                update.tail,
            )  # fmt: skip
            self.root ^= row.fingerprint
            self.ring.append(row.name)
            self._residents[row.address] = self._residents.get(row.address, 0) + 1
        self.ring.sort()

    def remove(self, name: str) -> None:
        """Forget a member."""
        self._withdraw(self.rows.pop(name))

    def _enter(self, row: Member) -> None:
        if row.status.living:
            position = bisect_left(self.ring, row.name)
            if position == len(self.ring) or self.ring[position] != row.name:
                insort(self.ring, row.name)
            row.fingerprint = fingerprint(row.name, row.epoch, row.incarnation, row.nonce)
            self.root ^= row.fingerprint
            self._residents[row.address] = self._residents.get(row.address, 0) + 1
        elif row.status is Status.DEAD:
            self.dead[row.name] = None
        else:
            self.left[row.name] = None

    def _withdraw(self, row: Member) -> None:
        if row.status.living:
            position = bisect_left(self.ring, row.name)
            if position < len(self.ring) and self.ring[position] == row.name:
                del self.ring[position]
            self.root ^= row.fingerprint
            self._residents[row.address] -= 1
            if not self._residents[row.address]:
                del self._residents[row.address]
        elif row.status is Status.DEAD:
            del self.dead[row.name]
        else:
            del self.left[row.name]
