"""A virtual clock and network that run the protocol's own code."""

from ._capacity import Bandwidth as Bandwidth
from ._clock import Clock as Clock, VirtualClock as VirtualClock
from ._cuts import (
    Block as Block,
    Cut as Cut,
    Hold as Hold,
    OneWayCut as OneWayCut,
    Silence as Silence,
)
from ._disturbances import (
    RETRANSMIT as RETRANSMIT,
    RETRANSMIT_LIMIT as RETRANSMIT_LIMIT,
    Corruption as Corruption,
    Duplication as Duplication,
    Lag as Lag,
    Loss as Loss,
    Reordering as Reordering,
)
from ._fabric import Fabric as Fabric, Guard as Guard
from ._latency import (
    ConstantLatency as ConstantLatency,
    LogNormalLatency as LogNormalLatency,
    UniformLatency as UniformLatency,
    ZoneLatency as ZoneLatency,
)
from ._memory import (
    MemoryEndpoint as MemoryEndpoint,
    MemoryHost as MemoryHost,
    MemoryNetwork as MemoryNetwork,
    open_memory_network as open_memory_network,
)
from ._memory_stream import MemoryStream as MemoryStream
from ._mesh import Mesh as Mesh, host_address as host_address
from ._packet import (
    DROP as DROP,
    HELD as HELD,
    Address as Address,
    Carrier as Carrier,
    Datagram as Datagram,
    Kind as Kind,
    Packet as Packet,
    Rule as Rule,
    Verdict as Verdict,
)
from ._peer import SimulatedPeer as SimulatedPeer
from ._simulate import (
    FAITHFUL_LIMIT as FAITHFUL_LIMIT,
    Choice as Choice,
    choose_model as choose_model,
    simulate as simulate,
)
from ._state import State as State
from ._stream import (
    Port as Port,
    StreamEnd as StreamEnd,
    StreamHandler as StreamHandler,
    dial as dial,
)
from ._trace import Trace as Trace
from .basis import MissingExtra as MissingExtra, Progress as Progress, Watcher as Watcher
