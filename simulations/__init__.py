"""A virtual clock and network that run the protocol's own code."""

from ._clock import Clock as Clock, VirtualClock as VirtualClock
from ._fabric import Fabric as Fabric, Guard as Guard, Port as Port
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
    Datagram as Datagram,
    Kind as Kind,
    Packet as Packet,
    Rule as Rule,
    Verdict as Verdict,
)
from ._peer import SimulatedPeer as SimulatedPeer, State as State
from ._rules import (
    Block as Block,
    ConstantLatency as ConstantLatency,
    Cut as Cut,
    Duplication as Duplication,
    Hold as Hold,
    Lag as Lag,
    Loss as Loss,
    OneWayCut as OneWayCut,
    Silence as Silence,
    UniformLatency as UniformLatency,
)
from ._stream import StreamEnd as StreamEnd, StreamHandler as StreamHandler, dial as dial
from ._trace import Trace as Trace
