import cbor2
import pytest
from hypothesis import given, strategies as st

from gossamer.gossip.basis import (
    Malformed,
    array,
    blob,
    decode,
    encode,
    join_tail,
    split_tail,
    text,
    whole,
)

_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(1 << 64), (1 << 64) - 1),
    st.text(max_size=40),
    st.binary(max_size=300),
)
_items = st.lists(_leaves, max_size=5)
_values = st.one_of(_leaves, st.lists(st.one_of(_leaves, st.lists(st.one_of(_leaves, _items)))))


def same(one: object, other: object) -> bool:
    """Whether two values agree in their types as well, at every depth."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def reasons(error: BaseException) -> list[str]:
    """Return what an error and all that caused it say."""
    found = []
    cause: BaseException | None = error
    while cause is not None:
        found.append(str(cause))
        cause = cause.__cause__
    return found


@given(_values)
def test_what_is_encoded_is_decoded(value: object) -> None:
    """A value of the permitted shapes comes back with the types it had."""
    assert same(decode(encode(value)), value)


@given(st.binary(max_size=60))
def test_bytes_stand_for_one_value_or_none(data: bytes) -> None:
    """Whatever is decoded encodes to the very same bytes, and nothing but Malformed is raised."""
    try:
        value = decode(data)
    except Malformed:
        return
    assert encode(value) == data


@given(_values, st.data())
def test_refuses_a_cut_encoding(value: object, data: st.DataObject) -> None:
    """No proper prefix of an encoding is an encoding."""
    encoded = encode(value)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(Malformed):
        decode(encoded[:cut])


@given(_values, st.binary(min_size=1, max_size=4))
def test_refuses_trailing_bytes(value: object, rest: bytes) -> None:
    """An encoding that is followed by anything is refused."""
    with pytest.raises(Malformed):
        decode(encode(value) + rest)


def test_refuses_every_tag_before_its_content() -> None:
    """Each of the first 65,536 tags is refused as a tag, whatever it would make of its content."""
    for number in range(1 << 16):
        with pytest.raises(Malformed) as caught:
            decode(cbor2.dumps(cbor2.CBORTag(number, "(")))
        assert "semantic tags are refused" in reasons(caught.value), number


@given(st.integers(1 << 16, (1 << 64) - 1), _items)
def test_refuses_any_tag_within_an_array(number: int, content: list[object]) -> None:
    """A tag of any number is refused inside an array too."""
    with pytest.raises(Malformed):
        decode(cbor2.dumps([1, cbor2.CBORTag(number, content)]))


@pytest.mark.parametrize("value", [1 << 64, -(1 << 64) - 1, 1 << 4000])
def test_refuses_integers_beyond_64_bits(value: int) -> None:
    """A bignum is a tag, and refused like any other."""
    with pytest.raises(Malformed):
        decode(encode(value))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("9f01ff", id="array"),
        pytest.param("bf616101ff", id="map"),
        pytest.param("7f6161ff", id="text"),
        pytest.param("5f4161ff", id="bytes"),
        pytest.param("819fff", id="nested"),
        pytest.param("ff", id="a break alone"),
    ],
)
def test_refuses_indefinite_lengths(data: str) -> None:
    """What does not say its length at the start is refused."""
    with pytest.raises(Malformed):
        decode(bytes.fromhex(data))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("1800", id="integer in 1 byte"),
        pytest.param("190017", id="integer in 2 bytes"),
        pytest.param("1a000000ff", id="integer in 4 bytes"),
        pytest.param("1b00000000ffffffff", id="integer in 8 bytes"),
        pytest.param("3800", id="negative integer"),
        pytest.param("780161", id="text"),
        pytest.param("580161", id="bytes"),
        pytest.param("980101", id="array"),
        pytest.param("fa3f800000", id="float that fits a shorter one"),
    ],
)
def test_refuses_lengths_longer_than_need_be(data: str) -> None:
    """A value has one encoding; the longer ones are refused, though the decoder knows them."""
    encoded = bytes.fromhex(data.strip())
    cbor2.loads(encoded)
    with pytest.raises(Malformed):
        decode(encoded)


@pytest.mark.parametrize(
    "data", ["61ff", "63eda080", "62c080", "7fff", "f800", "1c", "5bffffffffffffffff", "9affffffff"]
)
def test_refuses_what_is_not_cbor(data: str) -> None:
    """Broken UTF-8, reserved codes and lengths that no input holds are refused as malformed."""
    with pytest.raises(Malformed):
        decode(bytes.fromhex(data))


def test_refuses_duplicate_keys() -> None:
    """A map that names a key twice is refused, though maps are otherwise left to the checks."""
    with pytest.raises(Malformed):
        decode(bytes.fromhex("a2616101616102"))


def test_nesting_is_bounded() -> None:
    """Five arrays within each other, with a value in the innermost, pass and six do not."""
    assert decode(bytes.fromhex("818181818101")) == [[[[[1]]]]]
    with pytest.raises(Malformed):
        decode(bytes.fromhex("81818181818101"))


def test_deep_nesting_does_not_end_the_process() -> None:
    """A datagram of nothing but openings is refused like any other."""
    with pytest.raises(Malformed):
        decode(b"\x81" * 65_000)


_FOREIGN = [
    None, False, True, 1, -1, 0.0, 1.0, float("nan"), "a", b"a", [], [1], {}, {1: 1},
    cbor2.undefined, cbor2.CBORSimpleValue(16),
]  # fmt: skip


@pytest.mark.parametrize("value", [value for value in _FOREIGN if type(value) is not int])
def test_whole_refuses_other_types(value: object) -> None:
    """Neither a truth value nor a float, a map or anything else passes for an integer."""
    with pytest.raises(Malformed):
        whole(value, 10)


@pytest.mark.parametrize("value", [value for value in _FOREIGN if type(value) is not str])
def test_text_refuses_other_types(value: object) -> None:
    """Only a text passes for a text."""
    with pytest.raises(Malformed):
        text(value, 10)


@pytest.mark.parametrize("value", [value for value in _FOREIGN if type(value) is not bytes])
def test_blob_refuses_other_types(value: object) -> None:
    """Only a byte string passes for a byte string."""
    with pytest.raises(Malformed):
        blob(value, 10)


@pytest.mark.parametrize("value", [value for value in _FOREIGN if type(value) is not list])
def test_array_refuses_other_types(value: object) -> None:
    """Only an array passes for an array."""
    with pytest.raises(Malformed):
        array(value)


def test_checks_pass_at_their_limits_and_fail_beyond() -> None:
    """Each check returns the very value at its limit and refuses the next."""
    assert (whole(0, 10), whole(10, 10)) == (0, 10)
    assert (text("", 6), text("äöü", 6)) == ("", "äöü")
    assert (blob(b"", 3), blob(b"abc", 3)) == (b"", b"abc")
    assert (array([]), array([1, 2], 2)) == ([], [1, 2])

    for beyond in (-1, 11):
        with pytest.raises(Malformed):
            whole(beyond, 10)
    with pytest.raises(Malformed):
        text("abcd", 3)
    with pytest.raises(Malformed):
        text("äöü", 5)  # bytes are counted, which is what travels
    with pytest.raises(Malformed):
        blob(b"abcd", 3)
    for items in ([1], [1, 2, 3]):
        with pytest.raises(Malformed):
            array(items, 2)


@given(st.lists(_items, max_size=20), st.lists(_leaves, max_size=300))
def test_a_tail_is_joined_to_what_it_was_split_from(
    known: list[object], more: list[object]
) -> None:
    """The known items and the tail give back every byte, however many items there are."""
    data = encode([*known, *more])
    tail = split_tail([*known, *more], len(known), 1 << 20)
    assert join_tail(known, tail) == data
    assert tail == (encode(more) if more else b"")


def test_a_tail_is_refused_beyond_its_limit() -> None:
    """A tail may have as many bytes as the limit says, and not one more."""
    items: list[object] = [1, b"x" * 10]
    size = len(split_tail(items, 1, 100))
    assert split_tail(items, 1, size)
    with pytest.raises(Malformed, match="behind the first 1"):
        split_tail(items, 1, size - 1)


def test_fewer_items_than_are_known_have_no_tail() -> None:
    """A list that ends with the known items, or before, has nothing behind them."""
    assert split_tail([1, 2], 2, 0) == b""
    assert split_tail([1], 2, 0) == b""
    assert join_tail([1, 2], b"") == encode([1, 2])
