from functools import reduce
from itertools import pairwise
from operator import xor

import pytest
from hypothesis import given, strategies as st
from hypothesis.strategies import DrawFn

from gossamer.gossip.basis import Malformed, decode, encode
from gossamer.gossip.state import (
    EPOCH_LIMIT,
    HOST_LIMIT,
    INCARNATION_LIMIT,
    Address,
    MemberTable,
    MemberUpdate,
    Status,
    decode_member_update,
    encoded_update,
    fingerprint,
    update_about,
)
from gossamer.gossip.state._members import NONCE_LIMIT

_GOOD: list[object] = [0, "b", 1, 2, 1, "10.0.0.1", 7940, "z", 3, "c"]


@st.composite
def member_updates(draw: DrawFn, statuses: tuple[Status, ...] = tuple(Status)) -> MemberUpdate:
    """Draw an update about one of a few members; a life of a member has one address."""
    name = draw(st.sampled_from("abcde"))
    epoch = draw(st.integers(1, 3))
    incarnation = draw(st.integers(0, 2))
    # Names share addresses, so that an address has several residents.
    address = (f"10.0.0.{1 + (ord(name) + epoch) % 3}", 7940)
    return MemberUpdate(
        name, epoch, incarnation, draw(st.sampled_from(statuses)), address, "z", 1000 + epoch,
        tail=encode([epoch, name]),
    )  # fmt: skip


def told(table: MemberTable, pieces: list[MemberUpdate]) -> MemberTable:
    """Have a table take what outranks its rows, as the protocol does."""
    for piece in pieces:
        row = table.get(piece.name)
        if row is None or piece.rank > row.rank:
            table.put(piece, now=1.0)
    return table


def content(table: MemberTable) -> object:
    """Return all that a table says, but for the times and the order of arrival."""
    rows = {row.name: (row.rank, row.address, row.zone, row.nonce, row.tail) for row in table}
    return rows, table.ring, table.root, set(table.dead), set(table.left)


def check(table: MemberTable, own_name: str) -> None:
    """Compare a table's ordered views with what its rows alone come to."""
    living = [row for row in table if row.status.living]
    prints = [fingerprint(row.name, row.epoch, row.incarnation, row.nonce) for row in living]
    assert table.root == reduce(xor, prints, 0)
    assert table.ring == sorted({own_name, *(row.name for row in living)})
    assert table.living == len(table.ring)
    assert set(table.dead) == {row.name for row in table if row.status is Status.DEAD}
    assert set(table.left) == {row.name for row in table if row.status is Status.LEFT}
    residents: set[Address] = {row.address for row in living}
    for number in range(5):
        address = (f"10.0.0.{number}", 7940)
        assert table.lives_at(address) is (address in residents)


def test_precedence_is_that_of_the_paper() -> None:
    """Epoch first, then leaving, then incarnation, then alive, suspect, dead."""
    ascending = [
        (1, 0, Status.ALIVE), (1, 0, Status.SUSPECT), (1, 0, Status.DEAD),
        (1, 1, Status.ALIVE), (1, 1, Status.SUSPECT), (1, 1, Status.DEAD),
        (1, 0, Status.LEFT), (1, 1, Status.LEFT),
        (2, 0, Status.ALIVE), (2, 0, Status.LEFT),
    ]  # fmt: skip
    ranks = [
        MemberUpdate("b", epoch, incarnation, status, ("h", 1), "", 0).rank
        for epoch, incarnation, status in ascending
    ]
    assert all(lower < higher for lower, higher in pairwise(ranks))


@given(member_updates(), member_updates(), member_updates())
def test_ranking_is_a_total_order(
    one: MemberUpdate, two: MemberUpdate, three: MemberUpdate
) -> None:
    """Of two updates one outranks the other or they say the same, without circles."""

    def says(piece: MemberUpdate) -> tuple[int, int, Status]:
        return piece.epoch, piece.incarnation, piece.status

    assert (one.rank < two.rank) + (one.rank > two.rank) + (says(one) == says(two)) == 1
    if one.rank <= two.rank <= three.rank:
        assert one.rank <= three.rank


@given(
    st.lists(member_updates(), max_size=15).flatmap(
        lambda n: st.tuples(st.just(n), st.permutations(n))
    )
)
def test_the_table_does_not_depend_on_the_order_of_arrival(
    orders: tuple[list[MemberUpdate], list[MemberUpdate]],
) -> None:
    """Peers that heard the same updates in other orders, some of them twice, hold the same."""
    one, other = orders

    assert content(told(MemberTable("me"), one)) == content(told(MemberTable("me"), other + one))


@given(st.lists(st.one_of(member_updates(), st.sampled_from("abcde")), max_size=25))
def test_ordered_views_are_those_of_the_rows(actions: list[MemberUpdate | str]) -> None:
    """Whatever is written or removed, root, ring, residents and lists are kept true."""
    table = MemberTable("c")
    for action in actions:
        if isinstance(action, MemberUpdate):
            told(table, [action] if action.name != "c" else [])
        elif table.get(action) is not None:
            table.remove(action)
        check(table, "c")


@given(st.lists(member_updates(), min_size=1, max_size=15))
def test_a_removed_member_leaves_nothing(pieces: list[MemberUpdate]) -> None:
    """A table whose members were all removed is as it was at first."""
    table = told(MemberTable("me"), pieces)
    for name in list(table.rows):
        table.remove(name)

    assert len(table) == 0
    assert content(table) == content(MemberTable("me"))
    check(table, "me")


def test_an_address_counts_its_residents() -> None:
    """An address is free when the last of those that live there died or moved."""
    table = MemberTable("me")
    shared, other = ("10.0.0.1", 7940), ("10.0.0.2", 7940)
    told(table, [MemberUpdate(name, 1, 0, Status.ALIVE, shared, "", 1) for name in "ab"])

    told(table, [MemberUpdate("a", 1, 0, Status.DEAD, shared, "", 1)])
    after_death = table.lives_at(shared)
    told(table, [MemberUpdate("b", 1, 1, Status.ALIVE, other, "", 1)])

    assert (after_death, table.lives_at(shared), table.lives_at(other)) == (True, False, True)


@pytest.mark.parametrize("status", [Status.SUSPECT, Status.DEAD, Status.LEFT])
def test_an_address_is_believed_from_updates_of_life_only(status: Status) -> None:
    """What others say of a member does not move it."""
    table = MemberTable("me")
    told(table, [MemberUpdate("b", 1, 0, Status.ALIVE, ("10.0.0.1", 7940), "z", 5)])

    told(table, [MemberUpdate("b", 1, 1, status, ("10.6.6.6", 1), "evil", 6)])

    row = table.rows["b"]
    assert (row.status, row.incarnation) == (status, 1)
    assert (row.address, row.zone, row.nonce) == (("10.0.0.1", 7940), "z", 5)


def test_a_new_life_brings_its_own_address() -> None:
    """Updates of another epoch describe another process, whatever they say of it."""
    table = MemberTable("me")
    told(table, [MemberUpdate("b", 1, 7, Status.ALIVE, ("10.0.0.1", 7940), "z", 5)])

    told(table, [MemberUpdate("b", 2, 0, Status.DEAD, ("10.0.0.2", 7941), "y", 6)])

    assert update_about(table.rows["b"]) == MemberUpdate(
        "b", 2, 0, Status.DEAD, ("10.0.0.2", 7941), "y", 6
    )


def test_since_is_when_the_status_changed() -> None:
    """A further incarnation keeps the time; another status or another life sets it."""
    table = MemberTable("me")
    address = ("10.0.0.1", 7940)
    times = []
    for now, epoch, incarnation, status in (
        (1.0, 1, 0, Status.ALIVE),
        (2.0, 1, 1, Status.ALIVE),
        (3.0, 1, 1, Status.SUSPECT),
        (4.0, 1, 2, Status.SUSPECT),
        (5.0, 1, 3, Status.ALIVE),
        (6.0, 2, 0, Status.ALIVE),
    ):
        row = table.put(MemberUpdate("b", epoch, incarnation, status, address, "", 1), now)
        times.append(row.since)

    assert times == [1.0, 1.0, 3.0, 3.0, 5.0, 6.0]


def test_the_root_does_not_tell_suspects_from_the_living() -> None:
    """A suspicion alone is no difference to repair; a death and an incarnation are."""
    table = MemberTable("me")
    roots = []
    for incarnation, status in (
        (0, Status.ALIVE), (0, Status.SUSPECT), (1, Status.ALIVE), (1, Status.DEAD),
    ):  # fmt: skip
        told(table, [MemberUpdate("b", 1, incarnation, status, ("10.0.0.1", 7940), "", 1)])
        roots.append(table.root)

    assert roots[0] == roots[1]
    assert len({roots[0], roots[2], roots[3]}) == 3
    assert roots[3] == 0


@given(st.lists(member_updates(), min_size=1, max_size=10))
def test_encoded_updates_are_those_of_the_row(pieces: list[MemberUpdate]) -> None:
    """What was encoded once is encoded anew after every change."""
    table = MemberTable("me")
    for piece in pieces:
        told(table, [piece])
        row = table.rows[piece.name]
        assert decode_member_update(encoded_update(row)) == update_about(row)
        assert encoded_update(row) == update_about(row).encode()


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128),
    st.integers(0, EPOCH_LIMIT),
    st.integers(0, INCARNATION_LIMIT),
    st.sampled_from(Status),
    st.integers(1, 65535),
    st.integers(0, NONCE_LIMIT),
)
def test_updates_come_back(
    name: str, epoch: int, incarnation: int, status: Status, port: int, nonce: int
) -> None:
    """Updates are read as they were written, up to each limit."""
    piece = MemberUpdate(
        name, epoch, incarnation, status, ("::1", port), "z" * 64, nonce, "c" * 128
    )

    assert decode_member_update(piece.encode()) == piece


def test_updates_at_their_limits_pass() -> None:
    """The good update that the refusals start from is good, and so are the largest."""
    assert decode_member_update(encode(_GOOD)).name == "b"
    largest = [
        0, "b" * 128, EPOCH_LIMIT, INCARNATION_LIMIT, 3,
        "h" * HOST_LIMIT, 65535, "z" * 64, NONCE_LIMIT, "c" * 128,
    ]  # fmt: skip
    assert decode(decode_member_update(encode(largest)).encode()) == largest


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, 1), (0, False), (0, 0.0), (0, None),
        (1, ""), (1, "b" * 129), (1, "b\n"), (1, b"b"),
        (2, -1), (2, EPOCH_LIMIT + 1), (2, True), (2, 1.0),
        (3, -1), (3, INCARNATION_LIMIT + 1), (3, True),
        (4, 5), (4, -1), (4, True), (4, 0.0),
        (5, ""), (5, "0.0.0.0"), (5, "::"), (5, "255.255.255.255"), (5, "h" * (HOST_LIMIT + 1)),
        (6, 0), (6, 65536), (6, "7940"),
        (7, "z" * 65), (7, "\x00"), (7, None),
        (8, -1), (8, NONCE_LIMIT + 1), (8, False),
        (9, "c" * 129), (9, None), (9, b""),
    ],
)  # fmt: skip
def test_each_field_of_updates_is_checked(place: int, value: object) -> None:
    """Updates with one field out of range or of another type are refused."""
    with pytest.raises(Malformed):
        decode_member_update(encode([*_GOOD[:place], value, *_GOOD[place + 1 :]]))


@pytest.mark.parametrize("items", [[], _GOOD[:-1], "b", 0, None])
def test_updates_of_another_shape_are_refused(items: object) -> None:
    """Missing fields, and what is no array, are refused."""
    with pytest.raises(Malformed):
        decode_member_update(encode(items))


def test_statuses_have_words_and_know_the_living() -> None:
    """Users read these words; a suspect still takes part."""
    assert [status.label for status in Status] == ["alive", "suspect", "dead", "left"]
    assert [status for status in Status if status.living] == [Status.ALIVE, Status.SUSPECT]


@pytest.mark.parametrize(
    "other", [("a", 1, 2, 3), ("b", 2, 2, 3), ("b", 1, 3, 3), ("b1", 1, 2, 3), ("b", 1, 2, 4)]
)
def test_fingerprints_tell_members_apart(other: tuple[str, int, int, int]) -> None:
    """What differs in name, epoch, incarnation or nonce has another fingerprint, of 64 bits."""
    assert fingerprint(*other) != fingerprint("b", 1, 2, 3)
    assert 0 <= fingerprint(*other) < 1 << 64
