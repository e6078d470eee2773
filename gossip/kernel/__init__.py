"""What the parts of one protocol instance share: identity, state, outbox, health."""

from ._context import Context as Context
from ._epochs import Epochs as Epochs
from ._exchange import (
    FRAME_LIMIT as FRAME_LIMIT,
    REFUSAL as REFUSAL,
    Endpoint as Endpoint,
    Exchange as Exchange,
    ProbeExchange as ProbeExchange,
    ProbeResult as ProbeResult,
    Purpose as Purpose,
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
