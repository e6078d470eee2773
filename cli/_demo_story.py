# The story of the demonstration, in order.  Each phase changes something in the mesh, and measures
# how long the peers take to agree about it.  A phase lasts its share of the whole time.  If the
# mesh needs longer, the phase waits for it, and the later phases are shorter.

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter

import trio

from ._demo_mesh import DemoMesh, Place, all_equal, all_find, all_see, finds

SERVICES = {
    "orders": ("aarhus", "dover", "genoa"),
    "payments": ("bergen", "esbjerg", "hull"),
    "search": ("cadiz", "faro"),
}
# A healthy mesh needs much less, also on a busy machine.
PATIENCE = 10.0

Phase = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Measures:
    """The measurements, in milliseconds, and the events that did not happen in time."""

    milliseconds: dict[str, float] = field(default_factory=dict)
    registrations: list[float] = field(default_factory=list)
    cut_registrations: list[float] = field(default_factory=list)
    """While the network is cut, and perhaps not all have noticed."""
    missed: list[str] = field(default_factory=list)


class Story:
    """Plays the phases; `hear` gets every line, with the seconds since the beginning."""

    def __init__(self, mesh: DemoMesh, seconds: float, hear: Callable[[float, str], None]) -> None:
        self.mesh = mesh
        self.seconds = seconds
        self.measures = Measures()
        self.title = ""
        self.saying = ""
        self.number = 0
        self.began = perf_counter()
        self.lines: list[tuple[float, str]] = []
        self.finished = False
        self._hear = hear
        self._ends_at = 0.0
        self._length = 0.0
        self._phases: list[tuple[float, str, str, Phase]] = [
            (0.10, "Start", "Eight peers start at once and join through one.", self._start),
            (0.16, "Register", "What one peer registers, all can look up.", self._register),
            (
                0.26,
                "Crash",
                "A machine loses its power, without a word to the others.",
                self._crash,
            ),
            (0.20, "Cut", "The network is cut in two; both sides go on.", self._cut),
            (0.16, "Heal", "The cut is gone; the mesh heals without a command.", self._heal),
            (0.12, "Leave", "A peer leaves gracefully.", self._leave),
        ]

    @property
    def count(self) -> int:
        """How many phases there are."""
        return len(self._phases)

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return perf_counter() - self.began

    async def play(self, middle: Callable[[str], None]) -> None:
        """Play all phases; `middle` gets the title of a phase in the middle of it."""
        self.began = perf_counter()
        for number, (share, title, saying, phase) in enumerate(self._phases, 1):
            self.number, self.title, self.saying = number, title, saying
            self._ends_at += share * self.seconds
            self._length = max(0.0, self._ends_at - self.elapsed)
            await self._pause(0.05)
            await phase()
            await trio.sleep(max(0.0, self._ends_at - self.elapsed) / 2)
            middle(title)
            await trio.sleep(max(0.0, self._ends_at - self.elapsed))

        self.finished = True

    def _tell(self, line: str) -> None:
        self.lines.append((self.elapsed, line))
        self._hear(*self.lines[-1])

    async def _pause(self, share: float) -> None:
        await trio.sleep(self._length * share)

    async def _measure(
        self, what: str, true: Callable[[], bool], since: float | None = None
    ) -> str:
        """Wait until something is true, keep the time it took, and return it as text."""
        took = await self.mesh.until(true, PATIENCE, since)
        if took is None:
            self.measures.missed.append(what.replace("_", " "))
            return f"NOT within {PATIENCE:g} s"
        self.measures.milliseconds[what] = round(took * 1000, 1)
        return f"after {show_time(took)}"

    async def _start(self) -> None:
        mesh = self.mesh
        began = perf_counter()
        await mesh.start_all()
        said = await self._measure("join", lambda: all_see(mesh.places, mesh.places), began)
        self._tell(f"8 peers run; each knows all 8 {said}")

    async def _register(self) -> None:
        mesh = self.mesh
        homes = [(service, name) for service, names in SERVICES.items() for name in names]
        for service, name in homes:
            await self._register_one(service, mesh.place(name), mesh.running, "at all 8 peers")
            await self._pause(0.8 / len(homes))
        mesh.ask(list(SERVICES))
        self._tell("consumers begin to look up all services at every peer")

    async def _register_one(
        self, service: str, home: Place, watchers: list[Place], where: str
    ) -> None:
        assert home.peer is not None
        name = f"{service}-{home.name}"
        home.peer.register(service, port=8000 + self.mesh.places.index(home), id=name)
        took = await self.mesh.until(lambda: all_find(watchers, service, name), PATIENCE)
        if took is None:
            self.measures.missed.append(f"registration of {name} {where}")
            self._tell(f"{name}: NOT {where} within {PATIENCE:g} s")
            return
        measures = self.measures
        times = measures.cut_registrations if self.mesh.is_cut else measures.registrations
        times.append(round(took * 1000, 1))
        self._tell(f"{name} registered: {where} after {show_time(took)}")

    async def _crash(self) -> None:
        mesh = self.mesh
        victim = mesh.place("dover")
        await mesh.crash(victim)
        self._tell("dover crashes, and orders-dover with it")
        gone = await self._measure(
            "crash", lambda: not any(finds(p, "orders", "orders-dover") for p in mesh.running)
        )
        self._tell(f"no peer's answers have orders-dover {gone}")
        await self._pause(0.2)
        began = perf_counter()
        await mesh.start(victim)
        self._tell("dover starts again: the same name, a new life")
        back = await self._measure("restart", lambda: all_see(mesh.places, mesh.places), began)
        self._tell(f"all peers see dover as alive {back}")
        await self._register_one("orders", victim, mesh.running, "at all 8 peers")

    async def _cut(self) -> None:
        mesh = self.mesh
        north, south = mesh.cut()
        self._tell("the network is cut in two; lookups go on, on both sides")
        began = perf_counter()
        # The first registration before any peer has noticed the cut, the second after all have.
        await self._register_one("payments", mesh.place("aarhus"), north, "on its side")
        said = await self._measure(
            "cut", lambda: all_see(north, north) and all_see(south, south), began
        )
        self._tell(f"each side noticed the cut {said}, and still shows both")
        await self._register_one("search", mesh.place("hull"), south, "on its side")
        beyond = any(finds(place, "search", "search-hull") for place in north) or any(
            finds(place, "payments", "payments-aarhus") for place in south
        )
        assert not beyond, "a registration passed the cut, so the network is not cut"
        self._tell("neither side knows what was registered on the other side")

    async def _heal(self) -> None:
        mesh = self.mesh
        began = perf_counter()
        mesh.heal()
        self._tell("the cut is healed")
        said = await self._measure(
            "heal_registrations",
            lambda: (
                all_find(mesh.running, "payments", "payments-aarhus")
                and all_find(mesh.running, "search", "search-hull")
            ),
            began,
        )
        self._tell(f"all peers know what was registered during the cut {said}")
        said = await self._measure(
            "heal_members", lambda: all_see(mesh.running, mesh.running), began
        )
        self._tell(f"all 8 see all 8 as alive {said}")
        said = await self._measure("heal_roots", lambda: all_equal(mesh.running), began)
        self._tell(f"all roots are equal {said}")

    async def _leave(self) -> None:
        mesh = self.mesh
        leaver = mesh.place("hull")
        began = perf_counter()
        mesh.begin_to_leave(leaver)
        self._tell("hull leaves")
        said = await self._measure(
            "leave",
            lambda: not any(finds(place, "search", "search-hull") for place in mesh.running),
            began,
        )
        self._tell(f"no peer's answers have its instances {said}")
        await leaver.ended.wait()
        said = await self._measure("converged", lambda: all_equal(mesh.running), began)
        self._tell(f"all 7 agree {said}")


def show_time(seconds: float) -> str:
    """A duration for people."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
