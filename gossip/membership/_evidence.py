"""Evidence that a member is gone, which is faster than any suspicion.

If only a process dies, its host says so.
The host answers a datagram to its port with ICMP "port unreachable" (RFC 1122, 4.1.3.1), and it
refuses a stream.
If another peer has the address now, that peer answers that it is not the one that was meant.

A prober believes none of these signs alone.
It declares a member dead at once if, during one probe,

1. the member's address answered the ping in one of these ways,
2. the member's address refused a stream, or another peer accepted it, and
3. one of the asked relays got an answer of the first kind too; if there was no relay to ask, the
   first two signs are enough.

With less evidence the probe continues to its end, and suspicion follows if no answer came.

A forged ICMP message has only one effect: the probe asks its relays and opens its stream before the
timeout.  This works once per probe, and only while a probe of exactly that address is under way.
To have a member declared dead, an attacker off the path must do two things within the same second:
forge the refusal of a stream whose ports and sequence number the attacker cannot see, and forge an
ICMP message to a relay that the prober chose at random.
A firewall that rejects packets instead of dropping them gives all these signs to one peer, but not
to the relay.
Between two halves of a mesh such a firewall gives them to both.  Each side then declares the other
dead at once instead of after a suspicion, and a member that hears of it refutes as usual.

A host that is slow, stopped, or behind a one-way cut gives none of these signs.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Evidence:
    """The signs, during one probe, that its target is gone."""

    by_datagram: bool = False
    """The target's address answered the ping: the target is not here."""
    by_stream: bool = False
    """The target's address refused a stream."""
    witnesses: int = 0
    """How many relays got the same answer from that address."""

    def suffices(self, *, relays: int) -> bool:
        """Whether the prober, which asked so many relays, declares the target dead."""
        return self.by_datagram and self.by_stream and (self.witnesses > 0 or relays == 0)
