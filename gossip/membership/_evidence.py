"""Evidence that a member is gone, which is faster than any suspicion.

A process that dies leaves a host behind that says so: a datagram to its port comes back as ICMP
"port unreachable" (RFC 1122, 4.1.3.1), a stream is refused, and a peer that has the address now
answers that it is not the one that was meant.

None of these is believed alone.
A member is held for dead at once when, during one probe of it,

1. its address answered the ping in one of these ways,
2. its address refused a stream, or another peer took it, and
3. one of the relays that were asked got an answer of the first kind too; where there was nobody
   to ask, the first two have to do.

Everything less leaves the probe to its end and, if nothing came back, the member to suspicion.

A forged ICMP message can do no more than have a probe ask its relays and open its stream earlier
than after the timeout, once a probe, and only while a probe of exactly that address is under way.
To have a member buried, an attacker off the path would have to forge, within the same second, a
refusal of a stream whose ports and sequence number he cannot see, and an ICMP message to a relay
that is chosen at random.
A firewall that rejects instead of dropping does all of this for one peer, but not for the relay.
Where it stands between two halves of a mesh it does for both; each side then holds the other for
dead at once instead of after a suspicion, and a member that hears of it refutes it as ever.

A host that is slow, stopped, or behind a one-way cut sends nothing of the kind.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Evidence:
    """What speaks for it that the target of one probe is gone."""

    by_datagram: bool = False
    """Its address answered the ping that it is not there."""
    by_stream: bool = False
    """Its address refused a stream."""
    witnesses: int = 0
    """How many relays were told at that address what this peer was told."""

    def suffices(self, *, relays: int) -> bool:
        """Whether the target is to be held for dead, where so many relays were asked."""
        return self.by_datagram and self.by_stream and (self.witnesses > 0 or relays == 0)
