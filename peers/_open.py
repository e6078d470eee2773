"""Starts and ends a peer.

All that can go wrong at a start goes wrong before there is a task, or is taken out of its
exception group: callers meet a bare `GossamerError`.
"""

import random
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import trio

from gossamer.gossip import Follower, Gossip, Observer

from ._fronts import bind_error, check_fronts, serve_fronts
from .host import PeerConfig, Storage, logger
from .keys import KEYS_RECORD, KeyFile
from .model import ConfigError, GossamerError, RegistryConfig, format_address, parse_address
from .network import Endpoint, Network, Seeds, SocketNetwork, find_advertised
from .registry import Ignored, Registry
from .runtime import Fronts, Life, Peer, epoch_file, event_log

if TYPE_CHECKING:
    from gossamer.gossip.sealing.keyed_seal import KeyedSeal

    from .keys import Keys

# As many bits as the core's packets hold.
_NONCE_BITS = 64


@asynccontextmanager
async def open_peer(
    config: PeerConfig,
    *,
    network: Network | None = None,
    wall: Callable[[], float] = time.time,
    rng: random.Random | None = None,
    registry: RegistryConfig | None = None,
) -> AsyncIterator[Peer]:
    """Run a peer for as long as the block lasts, and then leave the mesh gracefully.

    Does not wait until the peer has joined; `await peer.joined()` does.
    Raises `ConfigError` when it cannot start: a port is taken, no seed resolves, and the like.
    Leaving takes place also when the block is cancelled, for a second or so at most;
    `peer.abort()` cuts it short.

    `network`, `wall` (Unix seconds) and `rng` are for tests and simulations.
    """
    fronts = Fronts()
    peer, life = await _prepare(
        config, network or SocketNetwork(), wall, rng or random.SystemRandom(), registry, fronts
    )
    body_error: BaseException | None = None
    bare: BaseException | None = None
    try:
        async with trio.open_nursery(strict_exception_groups=True) as nursery:
            # Shielded: a start that is cancelled halfway would wait for the peer to end.
            with trio.CancelScope(shield=True):
                await nursery.start(_run, peer, life, fronts)
            try:
                yield peer
            except BaseException as error:
                body_error = error
                raise
            finally:
                with trio.CancelScope(shield=True):
                    await peer.leave()
    except BaseExceptionGroup as group:
        bare = _bare(group, body_error)
        if bare is None:
            raise
    if bare is not None:
        raise bare


# Shielded, so that the peer and its fronts go on while it leaves.
async def _run(
    peer: Peer,
    life: Life,
    fronts: Fronts,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    with trio.CancelScope(shield=True):
        async with trio.open_nursery() as nursery:
            try:
                await serve_fronts(peer, fronts, nursery)
                await nursery.start(life.serve)
            except BaseException:
                await life.aclose()
                raise
            task_status.started()
            await life.ended()
            nursery.cancel_scope.cancel()


async def _prepare(
    config: PeerConfig,
    network: Network,
    wall: Callable[[], float],
    rng: random.Random,
    registry_config: RegistryConfig | None,
    fronts: Fronts,
) -> tuple[Peer, Life]:
    check_fronts(config)
    # Before anything else: a peer that cannot read its keys must not send anything.
    key_file = None if config.key_file is None else KeyFile(config.key_file)
    seal = None if key_file is None else _seal(config, key_file)
    host, port = parse_address(config.bind, "bind")
    try:
        endpoint = await network.bind(host, port)
    except (OSError, OverflowError) as error:
        raise bind_error("bind", host, port, error) from None
    storage: Storage | None = None
    try:
        seeds = await _find_seeds(config, network, endpoint)
        advertise = await find_advertised(config, network, endpoint.address, seeds.addresses)
        epoch = int(wall() * 1000)
        if config.data_dir is not None:
            storage = Storage.open(config.data_dir, config.name)
            epoch = max(epoch, storage.epoch + 1)
            storage.save(epoch)
        gossip = Gossip(
            config.gossip(),
            epoch=epoch,
            nonce=rng.getrandbits(_NONCE_BITS),
            advertise=advertise,
            rng=random.Random(rng.getrandbits(64)),
            now=trio.current_time(),
            wall_ms=int(wall() * 1000),
            seal=seal,
        )
        keys = None if key_file is None or seal is None else _keys(key_file, gossip, seal, wall)
        registry = Registry(
            gossip,
            wall=wall,
            config=registry_config,
            zone=config.zone,
            default_address=advertise[0],
            # What others say of their keys is known to a peer without any, and of no use.
            families={KEYS_RECORD: keys or Ignored()},
        )
        # In this order they hear of what happened: what users look up first, then the log, so
        # that what the others have to say of an event stands behind it.
        followers: list[Follower] = [registry, event_log(gossip)]
        if keys is not None:
            followers.append(Observer(keys.handle_all))
        if storage is not None:
            followers.append(epoch_file(config.name, storage))
        life = Life(gossip, endpoint=endpoint, seeds=seeds, storage=storage, followers=followers)
        peer = Peer(
            config,
            gossip=gossip,
            registry=registry,
            life=life,
            seeds=seeds,
            fronts=fronts,
            rng=random.Random(rng.getrandbits(64)),
            keys=keys,
        )
        return peer, life
    except BaseException:
        if storage is not None:
            storage.close()
        with trio.CancelScope(shield=True):
            await endpoint.aclose()
        raise


def _seal(config: PeerConfig, file: KeyFile) -> "KeyedSeal":
    # Encryption takes 30 ms to import, and a peer without keys need not wait for it.
    from gossamer.gossip.sealing.keyed_seal import SALT_SIZE, KeyedSeal

    # Never the peer's own generator, which tests and simulations seed.
    return KeyedSeal(config.cluster, file.ring, salt=partial(secrets.token_bytes, SALT_SIZE))


def _keys(file: KeyFile, gossip: Gossip, seal: "KeyedSeal", wall: Callable[[], float]) -> "Keys":
    from .keys import Keys

    return Keys(
        gossip,
        seal,
        file.decisions,
        wall=wall,
        save=file.save,
        now=trio.current_time(),
        file=str(file.path),
    )


async def _find_seeds(config: PeerConfig, network: Network, endpoint: Endpoint) -> Seeds:
    seeds = Seeds(network, endpoint.address[0])
    seeds.keep(await seeds.look_up(config.seeds))
    unresolved = [format_address(seed) for seed in seeds.unresolved]
    if unresolved and not seeds.addresses:
        raise ConfigError(
            "join",
            f"join {', '.join(unresolved)} does not resolve to an address that this peer can"
            " send to: check the name",
        )
    for seed in unresolved:
        logger.warning("seed %s does not resolve; this peer tries again", seed)
    return seeds


# An error of the block is raised again as it was, and an error at the start without its group.
def _bare(
    group: BaseExceptionGroup[BaseException], body_error: BaseException | None
) -> BaseException | None:
    only: BaseException = group
    while isinstance(only, BaseExceptionGroup) and len(only.exceptions) == 1:
        only = only.exceptions[0]
        if only is body_error:
            return only
    return only if isinstance(only, GossamerError) else None
