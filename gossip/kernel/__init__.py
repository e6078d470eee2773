"""What the parts of one protocol instance share: identity, state, outbox, health."""

from ._context import Context as Context
from ._epochs import Epochs as Epochs
from ._exchange import (
    ANOTHER as ANOTHER,
    ASK as ASK,
    BUSY as BUSY,
    DONE as DONE,
    EPOCH_REFUSED as EPOCH_REFUSED,
    FRAME_LIMIT as FRAME_LIMIT,
    HEADS as HEADS,
    HELLO as HELLO,
    LAST_KIND as LAST_KIND,
    MEMBERS as MEMBERS,
    OPEN as OPEN,
    PARTS as PARTS,
    PROBE as PROBE,
    REFUSAL as REFUSAL,
    WANT as WANT,
    Answer as Answer,
    Endpoint as Endpoint,
    Exchange as Exchange,
    ProbeExchange as ProbeExchange,
    Purpose as Purpose,
    frame_kind as frame_kind,
    probe_answer as probe_answer,
)
from ._health import Isolation as Isolation, LocalHealth as LocalHealth
from ._identity import Identity as Identity
from ._outbox import Outbox as Outbox
from ._outcome import Outcome as Outcome
from ._questions import Asker as Asker, Questions as Questions, Sequence as Sequence
from ._refusals import Refusals as Refusals
from ._root import Root as Root
from ._signals import Signals as Signals
