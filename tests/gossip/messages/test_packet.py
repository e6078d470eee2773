import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.basis import Malformed, array, decode, encode
from gossamer.gossip.messages import (
    ROOT_SIZE,
    Ack,
    Delta,
    Gone,
    Head,
    Held,
    Hold,
    Leave,
    Message,
    Nack,
    NotMe,
    Packet,
    Ping,
    PingReq,
    Relayed,
    decode_body,
    decode_update,
    encode_body,
    encode_delta,
    encode_head,
    update_cost,
)
from gossamer.gossip.sealing import Refused
from gossamer.gossip.state import (
    EPOCH_LIMIT,
    HOST_LIMIT,
    KEY_LIMIT,
    VALUE_LIMIT,
    VERSION_LIMIT,
    MemberUpdate,
    Operation,
    Status,
)

_ROOT = bytes(ROOT_SIZE)
_names = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=128)
_epochs = st.integers(0, EPOCH_LIMIT)
# A delta leads to a later version, which has to be within the limit too.
_versions = st.integers(0, VERSION_LIMIT - 64)
_sequences = st.integers(0, (1 << 32) - 1)
_roots = st.binary(min_size=ROOT_SIZE, max_size=ROOT_SIZE)
_messages: st.SearchStrategy[Message] = st.one_of(
    *(st.builds(kind, _sequences) for kind in (NotMe, Leave, Held, Gone)),
    *(st.builds(kind, _sequences, _roots) for kind in (Ack, Nack, Relayed)),
    st.builds(Ping, _sequences, st.one_of(st.just(""), _names)),
    st.builds(Hold, _sequences, _versions),
    st.builds(
        PingReq, _sequences, _names, _epochs,
        st.tuples(st.text(max_size=HOST_LIMIT // 4), st.integers(1, 65535)),
        st.integers(0, 600_000),
    ),
)  # fmt: skip
_operations: st.SearchStrategy[list[Operation]] = st.lists(
    st.tuples(st.text(max_size=20), st.one_of(st.none(), st.binary(max_size=60))),
    min_size=1,
    max_size=6,
)


def body_of(message: object) -> bytes:
    """Return a body that is fine but for the message it carries."""
    return encode(["a", 1, [message], []])


@given(
    _names,
    _epochs,
    st.lists(_messages, max_size=8),
    st.lists(st.binary(max_size=300), max_size=20),
)
def test_a_body_comes_back(
    source: str, epoch: int, messages: list[Message], updates: list[bytes]
) -> None:
    """Source, epoch, messages and updates are read as they were written."""
    packet = decode_body(encode_body(source, epoch, messages, updates))

    assert (packet.source, packet.epoch) == (source, epoch)
    assert packet.messages == messages
    assert packet.updates == updates


def reading(body: bytes) -> Packet | str:
    """Return what a body says, or the reason for which it is refused."""
    try:
        return decode_body(body)
    except Refused as refusal:
        return refusal.reason


_anything = st.one_of(
    _names, _epochs, st.lists(_messages.map(lambda message: message.items()), max_size=2),
    st.binary(),
)  # fmt: skip


@given(st.lists(_anything, max_size=5))
def test_values_in_other_places_are_refused_as_malformed(items: list[object]) -> None:
    """Well-formed values that are not a body are refused, and with nothing else."""
    found = reading(encode(items))

    if isinstance(found, Packet):
        again = encode_body(found.source, found.epoch, found.messages, found.updates)
        assert again == encode(items[:4])
    else:
        assert found == "malformed"


@given(st.binary(max_size=60))
def test_bytes_that_are_no_body_are_refused_as_malformed(data: bytes) -> None:
    """No bytes make the readers raise anything but their own refusals."""
    with contextlib.suppress(Malformed):
        decode_update(data)
    found = reading(data)

    if isinstance(found, Packet):
        again = [found.source, found.epoch, found.updates]
        assert again == [array(decode(data))[place] for place in (0, 1, 3)]
    else:
        assert found == "malformed"


_GOOD: list[tuple[list[object], Message]] = [
    ([0, 1, "b"], Ping(1, "b")),
    ([1, 1, _ROOT], Ack(1, _ROOT)),
    ([2, 1, "b", 2, "::1", 7940, 100], PingReq(1, "b", 2, ("::1", 7940), 100)),
    ([3, 1, _ROOT], Nack(1, _ROOT)),
    ([4, 1], NotMe(1)),
    ([5, 1], Leave(1)),
    ([6, 1, _ROOT], Relayed(1, _ROOT)),
    ([7, 1, 2], Hold(1, 2)),
    ([8, 1], Held(1)),
    ([9, 1], Gone(1)),
]


@pytest.mark.parametrize(("items", "message"), _GOOD)
def test_each_field_of_each_message_is_checked(items: list[object], message: Message) -> None:
    """A message is read from its items; with any field of another type or missing it is skipped."""
    assert decode_body(body_of(items)).messages == [message]
    assert message.items() == items

    variants: list[object] = [items[:-1]]
    for place, value in enumerate(items):
        foreign: list[object] = [None, True, 1.0, [], -1, b"x" if value != b"x" else b""]
        foreign.append(1 if isinstance(value, str | bytes) else "1")
        variants += [[*items[:place], other, *items[place + 1 :]] for other in foreign]
    for variant in variants:
        packet = decode_body(encode(["a", 1, [variant, items], []]))
        assert (packet.messages, packet.malformed, packet.unknown) == ([message], 1, 0)


_further = st.lists(
    st.one_of(st.none(), st.booleans(), st.integers(-(1 << 62), 1 << 63), st.text(max_size=9),
              st.binary(max_size=9), st.lists(st.integers(0, 9), max_size=3)),
    min_size=1, max_size=30,
)  # fmt: skip


@given(st.sampled_from(_GOOD), _further)
def test_a_message_is_read_by_the_items_that_are_known(
    good: tuple[list[object], Message], further: list[object]
) -> None:
    """What a later version adds to a message of a known kind is not looked at."""
    items, message = good
    assert decode_body(body_of([*items, *further])).messages == [message]


@given(_names, _epochs, st.lists(_messages, max_size=8), st.lists(st.binary(max_size=30)), _further)
def test_a_body_is_read_by_the_items_that_are_known(
    source: str,
    epoch: int,
    messages: list[Message],
    updates: list[bytes],
    further: list[object],
) -> None:
    """What a later version adds to a body is not looked at."""
    items = [source, epoch, [message.items() for message in messages], updates]
    expected = Packet(source, epoch, messages, updates)
    assert decode_body(encode([*items, *further])) == expected


@pytest.mark.parametrize("message", [[10, 1], [255], [11, "anything", [], None], [10, -1]])
def test_a_message_of_a_later_kind_is_skipped(message: list[object]) -> None:
    """Whatever it says, the messages beside it are read, and it is no damage."""
    packet = decode_body(encode(["a", 1, [[8, 1], message, [8, 2]], []]))
    assert packet == Packet("a", 1, [Held(1), Held(2)], [], unknown=1)


@pytest.mark.parametrize("message", [[], [256, 1], [-1, 1], [1 << 40, 1], ["a", 1], 5, "ab", None])
def test_what_is_no_message_is_skipped_as_damage(message: object) -> None:
    """What cannot be a message of any version spoils none beside it."""
    packet = decode_body(encode(["a", 1, [[8, 1], message, [8, 2]], []]))
    assert packet == Packet("a", 1, [Held(1), Held(2)], [], malformed=1)


@pytest.mark.parametrize(
    ("make", "last", "beyond"),
    [
        pytest.param(lambda n: [8, n], (1 << 32) - 1, 1 << 32, id="sequence"),
        pytest.param(lambda n: [0, 1, "x" * n], 128, 129, id="target"),
        pytest.param(lambda n: [7, 1, n], VERSION_LIMIT, VERSION_LIMIT + 1, id="version"),
        pytest.param(lambda n: [1, 1, bytes(n)], 16, 17, id="long root"),
        pytest.param(lambda n: [1, 1, bytes(n)], 16, 15, id="short root"),
        pytest.param(lambda n: [2, 1, "x" * n, 1, "h", 1, 1], 128, 129, id="name"),
        pytest.param(lambda n: [2, 1, "b", n, "h", 1, 1], EPOCH_LIMIT, EPOCH_LIMIT + 1, id="epoch"),
        pytest.param(lambda n: [2, 1, "b", 1, "h" * n, 1, 1], 64, 65, id="host"),
        pytest.param(lambda n: [2, 1, "b", 1, "h", n, 1], 65535, 65536, id="port"),
        pytest.param(lambda n: [2, 1, "b", 1, "h", n, 1], 1, 0, id="no port"),
        pytest.param(lambda n: [2, 1, "b", 1, "h", 1, n], 600_000, 600_001, id="budget"),
    ],
)
def test_message_fields_end_at_their_limits(
    make: Callable[[int], list[object]], last: int, beyond: int
) -> None:
    """The last permitted value passes; a message with the first beyond it is skipped."""
    (message,) = decode_body(body_of(make(last))).messages
    assert message.items() == make(last)
    packet = decode_body(body_of(make(beyond)))
    assert (packet.messages, packet.malformed) == ([], 1)


@pytest.mark.parametrize(
    ("last", "beyond"),
    [
        pytest.param(["x" * 128, 1, [], []], ["x" * 129, 1, [], []], id="source"),
        pytest.param(["x", 1, [], []], ["", 1, [], []], id="no source"),
        pytest.param(["x", 1, [], []], ["x\n", 1, [], []], id="unprintable source"),
        pytest.param(["x", EPOCH_LIMIT, [], []], ["x", EPOCH_LIMIT + 1, [], []], id="epoch"),
        pytest.param(["x", 1, [[8, 1]] * 8, []], ["x", 1, [[8, 1]] * 9, []], id="messages"),
        pytest.param(["x", 1, [], [b""] * 128], ["x", 1, [], [b""] * 129], id="updates"),
        pytest.param(["x", 1, [], [bytes(1400)]], ["x", 1, [], [bytes(1401)]], id="update"),
        pytest.param(["x", 1, [], []], ["x", 1, []], id="missing"),
        pytest.param(["x", 1, [], [b""]], ["x", 1, [], [""]], id="a text for an update"),
    ],
)
def test_bodies_end_at_their_limits(last: list[object], beyond: list[object]) -> None:
    """Each bound of a body holds at its last value and is refused one further."""
    decode_body(encode(last))
    with pytest.raises(Refused, match="malformed"):
        decode_body(encode(beyond))


@pytest.mark.parametrize("size", [0, 1, 23, 24, 255, 256, 1400])
def test_the_cost_of_an_update_is_exact(size: int) -> None:
    """What an update adds to a body is known before the body is made."""
    update = bytes(size)
    empty = len(encode_body("a", 1, [], []))

    assert len(encode_body("a", 1, [], [update])) == empty + update_cost(update)


@given(_names, _epochs, _versions, _operations)
def test_a_delta_comes_back(
    owner: str, epoch: int, since: int, operations: list[Operation]
) -> None:
    """Removals and values are read in the order in which they were written."""
    update = decode_update(encode_delta(owner, epoch, since, operations))

    assert update == Delta(owner, epoch, since, operations)


@given(_names, _epochs, _versions)
def test_a_head_comes_back(owner: str, epoch: int, version: int) -> None:
    """A head is read as it was written."""
    assert decode_update(encode_head(owner, epoch, version)) == Head(owner, epoch, version)


def test_updates_come_back_as_an_update() -> None:
    """Updates of a member are told from the registry's updates by their first item."""
    update = MemberUpdate("b", 1, 2, Status.SUSPECT, ("10.0.0.1", 7940), "z", 3, "c")

    assert decode_update(update.encode()) == update


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([], id="nothing"),
        pytest.param([3, "a", 1, 1], id="unknown kind"),
        pytest.param([True, "a", 1, 0, ["k", b""]], id="truth value for a kind"),
        pytest.param([2.0, "a", 1, 1], id="float for a kind"),
        pytest.param([1, "a", 1, 0, []], id="no operations"),
        pytest.param([1, "a", 1, 0, ["k"]], id="key without a value"),
        pytest.param([1, "a", 1, 0, ["k", "v"]], id="text for a value"),
        pytest.param([1, "a", 1, 0, [b"k", b"v"]], id="bytes for a key"),
        pytest.param([1, "a", 1, 0, None], id="null for the operations"),
        pytest.param([1, "a", 1, 0], id="short delta"),
        pytest.param([1, "", 1, 0, ["k", b""]], id="no owner"),
        pytest.param([1, "a\x7f", 1, 0, ["k", b""]], id="unprintable owner"),
        pytest.param([1, "a" * 129, 1, 0, ["k", b""]], id="long owner"),
        pytest.param([1, "a", EPOCH_LIMIT + 1, 0, ["k", b""]], id="epoch of a delta"),
        pytest.param([1, "a", 1, VERSION_LIMIT, ["k", b""]], id="version of a delta"),
        pytest.param([1, "a", 1, -1, ["k", b""]], id="version below 0"),
        pytest.param([1, "a", 1, 0, ["k" * (KEY_LIMIT + 1), b""]], id="long key"),
        pytest.param([1, "a", 1, 0, ["k", bytes(VALUE_LIMIT + 1)]], id="long value"),
        pytest.param([2, "a", 1], id="short head"),
        pytest.param([2, "a", EPOCH_LIMIT + 1, 1], id="epoch of a head"),
        pytest.param([2, "a", 1, VERSION_LIMIT + 1], id="version of a head"),
    ],
)
def test_a_bad_update_is_malformed(items: list[object]) -> None:
    """An update with one fault in it is refused whole."""
    with pytest.raises(Malformed):
        decode_update(encode(items))


@given(_names, _epochs, _versions, _operations, _further)
def test_an_update_is_read_by_the_items_that_are_known(
    owner: str, epoch: int, number: int, operations: list[Operation], further: list[object]
) -> None:
    """What a later version adds to deltas and heads is not looked at."""
    delta, head = encode_delta(owner, epoch, number, operations), encode_head(owner, epoch, number)
    for update, expected in (
        (delta, Delta(owner, epoch, number, operations)),
        (head, Head(owner, epoch, number)),
    ):
        assert decode_update(encode([*array(decode(update)), *further])) == expected


def test_updates_pass_at_their_limits() -> None:
    """The largest names, numbers, keys and values that are permitted are read."""
    operations: list[Operation] = [("k" * KEY_LIMIT, bytes(VALUE_LIMIT))]
    delta = encode_delta("a" * 128, EPOCH_LIMIT, VERSION_LIMIT - 1, operations)

    assert decode_update(delta) == Delta("a" * 128, EPOCH_LIMIT, VERSION_LIMIT - 1, operations)
