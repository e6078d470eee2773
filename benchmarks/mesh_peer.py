"""One peer of benchmarks/mesh.py: takes orders as lines of JSON, answers with the moment of each.

The clock is the machine's monotonic one, which all its processes share.
"""

import json
import sys
import time

import trio

from gossamer import Peer, PeerConfig, open_peer

SERVICE = "measured"


async def serve(name: str, seed: str | None) -> None:
    """Run the peer until the input ends."""
    config = PeerConfig(name=name, bind="127.0.0.1:0", join=[seed] if seed else [], http=None)
    async with open_peer(config) as peer, trio.open_nursery() as nursery:
        seen: dict[str, float] = {}
        changed = trio.Condition()
        nursery.start_soon(note_instances, peer, seen, changed)
        answer({"address": f"{peer.address[0]}:{peer.address[1]}"})
        async with trio.lowlevel.FdStream(sys.stdin.fileno()) as orders:
            buffer = b""
            async for data in orders:
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    answer(await obey(peer, json.loads(line), seen, changed))
        nursery.cancel_scope.cancel()


async def note_instances(peer: Peer, seen: dict[str, float], changed: trio.Condition) -> None:
    """Keep the moment at which each instance was first shown."""
    async for found in peer.watch(SERVICE):
        now = time.monotonic()
        for instance in found:
            seen.setdefault(instance.id, now)
        async with changed:
            changed.notify_all()


async def obey(
    peer: Peer, order: dict[str, object], seen: dict[str, float], changed: trio.Condition
) -> dict[str, object]:
    """Carry out one order."""
    match order:
        case {"command": "wait", "members": members}:
            # No watch tells of members, so they are asked for; it is not part of what is measured.
            while sum(each.status == "alive" for each in peer.members()) != members:  # noqa: ASYNC110
                await trio.sleep(0.05)
            return {}
        case {"command": "register", "id": str(id)}:
            began = time.monotonic()
            peer.register(SERVICE, port=8080, id=id)
            return {"at": began}
        case {"command": "seen", "id": str(id), "patience": float(patience)}:
            with trio.fail_after(patience):
                async with changed:
                    while id not in seen:
                        await changed.wait()
            return {"at": seen[id]}
    raise ValueError(f"unknown order {order!r}")


def answer(document: dict[str, object]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    trio.run(serve, sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
