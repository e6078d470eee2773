"""Signals by which a part of the protocol calls parts that are built after it."""

from dataclasses import dataclass, field

from gossamer.gossip.basis import Signal
from gossamer.gossip.state import Address, Member


@dataclass(frozen=True, slots=True)
class Signals:
    """One signal for each thing that a part below tells the parts above it."""

    epoch_raised: Signal[[float]] = field(default_factory=Signal)
    """This peer took a higher epoch."""
    member_returned: Signal[[float]] = field(default_factory=Signal)
    """A member that was declared dead lives."""
    joined: Signal[[float]] = field(default_factory=Signal)
    """State was exchanged with another peer for the first time."""
    met_self: Signal[[Address, float]] = field(default_factory=Signal)
    """The peer at an address turned out to be this one."""
    contact_answered: Signal[[str, Address, float]] = field(default_factory=Signal)
    """The peer of this name, at this address, answered a ping beside the probes."""
    stream_failed: Signal[[str]] = field(default_factory=Signal)
    """An exchange with the member of this name failed."""
    only_streams_pass: Signal[[Member, float]] = field(default_factory=Signal)
    """A member answered by stream alone: no datagram brings it updates."""
    part_wanted: Signal[[str, str, float]] = field(default_factory=Signal)
    """An owner's part is to be fetched from a teller."""
