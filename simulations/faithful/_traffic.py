from time import process_time

from gossamer.simulations import Fabric
from gossamer.simulations.report import Traffic


class Meter:
    """What the peers of a mesh send, since the meter was started."""

    def __init__(self, fabric: Fabric) -> None:
        self._fabric = fabric
        self._begin = self._last = self._now()
        self._cpu = process_time()
        # Peers that ran, times seconds.
        self._peer_seconds = 0.0

    def since_last(self) -> tuple[int, int, int]:
        """Return datagrams, their bytes and the bytes of streams since this was asked last."""
        last, self._last = self._last, self._now()
        return (
            self._last[0] - last[0],
            self._last[1] - last[1],
            self._last[2] - last[2],
        )

    def ran(self, peers: int, seconds: float) -> None:
        """So many peers ran for so long."""
        self._peer_seconds += peers * seconds

    def result(self) -> Traffic:
        """Return the average of all peers over their time."""
        datagrams, octets, streams = (
            now - begin for now, begin in zip(self._now(), self._begin, strict=True)
        )
        share = self._peer_seconds
        if share <= 0:
            return Traffic(
                datagrams_per_peer_per_second=0.0,
                bytes_per_peer_per_second=0.0,
                stream_bytes_per_peer_per_second=0.0,
                cpu_ms_per_peer_per_second=None,
            )
        return Traffic(
            datagrams_per_peer_per_second=datagrams / share,
            bytes_per_peer_per_second=octets / share,
            stream_bytes_per_peer_per_second=streams / share,
            cpu_ms_per_peer_per_second=1000 * (process_time() - self._cpu) / share,
        )

    def _now(self) -> tuple[int, int, int]:
        fabric = self._fabric
        return fabric.datagrams, fabric.datagram_bytes, fabric.stream_bytes
