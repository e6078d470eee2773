from gossamer.simulations.report import Series

from ._measures import Measures
from ._traffic import Meter
from ._views import ALIVE, DEAD, LEFT, SUSPECT
from ._world import World

_LEAST_INTERVAL = 0.1
_SAMPLES = 240


class Sampler:
    """Writes down how things stand, at even intervals from `zero` on."""

    def __init__(
        self, world: World, measures: Measures, meter: Meter, zero: float, duration: float
    ) -> None:
        self._world = world
        self._measures = measures
        self._meter = meter
        self._zero = zero
        self._duration = duration
        self._interval = max(_LEAST_INTERVAL, duration / _SAMPLES)
        self._count = 0
        self._series = Series()
        self._bands: list[list[str]] = []
        self._sampled_at = zero
        self.sample()

    def result(self) -> Series:
        """Return the series; a peer that joined late was unknown before."""
        series = self._series
        series.peers.extend(peer.name for peer in self._world.peers)
        samples = len(series.seconds)
        series.bands.extend("".join(band).rjust(samples, ".") for band in self._bands)
        return series

    def sample(self, _: None = None) -> None:
        """Take a sample, and set the time of the next."""
        world, views, series = self._world, self._measures.views, self._series
        present = sum(world.present)
        self._meter.ran(present, world.now - self._sampled_at)
        self._sampled_at = world.now
        datagrams, octets, streams = self._meter.since_last()
        series.seconds.append(round(world.now - self._zero, 9))
        series.datagrams.append(datagrams)
        series.bytes.append(octets)
        series.stream_bytes.append(streams)
        series.alive.append(views.totals[ALIVE])
        series.suspect.append(views.totals[SUSPECT])
        series.dead.append(views.totals[DEAD])
        series.left.append(views.totals[LEFT])
        roots = {
            peer.gossip.root
            for peer, is_present in zip(world.peers, world.present, strict=False)
            if is_present
        }
        series.roots.append(len(roots))
        series.wrong.append(self._measures.answers.wrong_pairs)
        while len(self._bands) < len(world.peers):
            self._bands.append([])
        for peer, band in enumerate(self._bands):
            band.append(views.letter(peer, present - world.present[peer]))
        self._count += 1
        following = self._zero + self._count * self._interval
        if following <= self._zero + self._duration:
            world.mesh.clock.call_at(following, self.sample, None)
