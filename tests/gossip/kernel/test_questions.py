from gossamer.gossip.kernel import Questions
from gossamer.gossip.state import Address


class Listening:
    """An asker that does nothing."""

    def on_ack(self, sequence: int, source: str, epoch: int, now: float) -> None: ...

    def on_not_me(
        self, sequence: int, source: str, sender: Address, epoch: int, now: float
    ) -> bool:
        return True


def test_an_answer_finds_its_asker_until_the_question_is_closed() -> None:
    """Each number leads to the one that asked, and to nobody before and afterwards."""
    questions = Questions()
    one, other = Listening(), Listening()
    questions.open(1, one)
    questions.open(2, other)

    assert questions.asker(1) is one
    assert questions.asker(2) is other
    assert questions.asker(3) is None

    questions.close(1, one)
    questions.close(3, one)
    assert questions.asker(1) is None
    assert len(questions) == 1


def test_of_two_questions_with_one_number_the_later_is_open() -> None:
    """The end of the earlier question, which comes when it will, does not close the later one."""
    questions = Questions()
    one, other = Listening(), Listening()
    questions.open(1, one)
    questions.open(1, other)
    questions.close(1, one)

    assert questions.asker(1) is other
