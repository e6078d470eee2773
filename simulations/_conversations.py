"""The open streams of one simulated process."""

from gossamer.gossip import Exchange

from ._conversation import Conversation, Process
from ._fabric import Fabric
from ._stream import StreamEnd, dial

_FIRST_EPHEMERAL = 32_768
_EPHEMERAL_PORTS = 28_000


class Conversations:
    """The conversations that a process has, in the order in which they began.

    They are the keys of a dict: a set of objects would be closed in another order in each run.
    """

    def __init__(self, process: Process, fabric: Fabric) -> None:
        self._process = process
        self._fabric = fabric
        self._open: dict[Conversation, None] = {}
        self._called = 0

    def answer(self, end: StreamEnd) -> Conversation:
        """Return the conversation on a stream that somebody opened; it has not begun yet."""
        conversation = Conversation(self._process, end)
        end.handler = conversation
        self._open[conversation] = None
        return conversation

    def call(self, exchange: Exchange, host: str) -> None:
        """Open a stream from a free port of `host`, and carry an exchange over it."""
        conversation = Conversation(self._process, None, exchange)
        self._open[conversation] = None
        local = (host, _FIRST_EPHEMERAL + self._called % _EPHEMERAL_PORTS)
        self._called += 1
        conversation.end = dial(self._fabric, local, exchange.address, conversation)
        conversation.watch()

    def forget(self, conversation: Conversation) -> None:
        """Keep a conversation no longer: it is over."""
        self._open.pop(conversation, None)

    def drop_all(self, *, silently: bool) -> None:
        """End all conversations because the process is gone; `silently` without a reset."""
        conversations, self._open = self._open, {}
        for conversation in conversations:
            conversation.drop(silently=silently)
