"""The identity of this peer in the mesh."""

from dataclasses import dataclass

from gossamer.gossip.state import OWN_TAIL, Address, MemberUpdate, Status


@dataclass(slots=True)
class Identity:
    """This peer's name and life, as it tells them to others."""

    name: str
    epoch: int
    nonce: int
    address: Address
    zone: str
    incarnation: int = 0
    left: bool = False
    tail: bytes = OWN_TAIL
    """What is told of this peer behind the frozen items; changes only with epoch or incarnation."""

    def update(self) -> MemberUpdate:
        """Return what this peer says of itself."""
        status = Status.LEFT if self.left else Status.ALIVE
        return MemberUpdate(
            self.name, self.epoch, self.incarnation, status,
            self.address, self.zone, self.nonce, tail=self.tail,
        )  # fmt: skip
