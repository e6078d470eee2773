"""Answers that are kept encoded, each for one state of its service."""

from gossamer.peers import Instance, Lookup
from gossamer.peers.fronts.native._cache import AnswerCache, Question
from gossamer.peers.web import Response


def lookup(index: int, *, degraded: bool = False) -> Lookup:
    instances: tuple[Instance, ...] = ()
    return Lookup("orders", instances, degraded=degraded, index=index)


def question(number: int) -> Question:
    return ("orders", f"tag-{number}", None, False)


def test_a_kept_answer_is_good_for_one_state() -> None:
    """Another index, or a doubt about the same, and it is made anew."""
    cache = AnswerCache()
    answer = Response(200, b"1")
    cache.put(question(1), lookup(7), answer)
    assert cache.get(question(1), lookup(7)) is answer
    assert cache.get(question(1), lookup(8)) is None
    assert cache.get(question(1), lookup(7, degraded=True)) is None
    assert cache.get(question(2), lookup(7)) is None


def test_kept_answers_are_bounded_in_number() -> None:
    """Whatever was not asked for longest is dropped."""
    cache = AnswerCache(answers=3)
    for number in (1, 2, 3):
        cache.put(question(number), lookup(7), Response(200, b"x"))
    assert cache.get(question(1), lookup(7)) is not None
    cache.put(question(4), lookup(7), Response(200, b"x"))
    kept = [n for n in (1, 2, 3, 4) if cache.get(question(n), lookup(7))]
    assert kept == [1, 3, 4]


def test_kept_answers_are_bounded_in_bytes() -> None:
    """Also when an answer is replaced by a larger one, or is too large by itself."""
    cache = AnswerCache(size=100)
    cache.put(question(1), lookup(7), Response(200, b"x" * 60))
    cache.put(question(2), lookup(7), Response(200, b"x" * 40))
    assert all(cache.get(question(n), lookup(7)) for n in (1, 2))
    cache.put(question(2), lookup(8), Response(200, b"x" * 41))
    assert cache.get(question(1), lookup(7)) is None
    assert cache.get(question(2), lookup(8)) is not None
    cache.put(question(3), lookup(7), Response(200, b"x" * 101))
    assert not any(cache.get(question(n), lookup(7)) for n in (1, 2, 3))
    cache.put(question(4), lookup(7), Response(200, b"x" * 100))
    assert cache.get(question(4), lookup(7)) is not None
