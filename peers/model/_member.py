from dataclasses import dataclass

from gossamer.gossip import Address

from ._address import format_address


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberInfo:
    """A member, as this peer sees it; the peer itself is a member too."""

    name: str
    address: Address
    status: str
    """`alive`, `suspect`, `dead` or `left`."""
    incarnation: int
    epoch: int
    zone: str | None
    instances: int
    """How many instances are registered at it."""
    path: str | None = None
    """`udp blocked` or `tcp blocked` if only the other transport reaches it from this peer."""

    def to_json(self) -> dict[str, object]:
        """Return the shape that the HTTP interface and `--json` show."""
        return {
            "name": self.name,
            "address": format_address(self.address),
            "status": self.status,
            "incarnation": self.incarnation,
            "epoch": self.epoch,
            "zone": self.zone,
            "instances": self.instances,
            "path": self.path,
        }
