"""Two hosts as network namespaces, and what stands between: a switch, or a router that filters."""

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeVar

T = TypeVar("T")

_CLONE_NEWNET: Final = 0x40000000
_RUN = Path("/run/netns")
HOSTS: Final = ("10.213.7.1", "10.213.7.2")
ROUTED: Final = ("10.213.8.1", "10.213.9.1")


def unavailable() -> str | None:
    """Return why namespaces cannot be had here, or None if they can."""
    if os.geteuid() != 0:
        return "making network namespaces needs root"
    probe = f"gossamer-probe-{os.getpid()}"
    try:
        subprocess.run(["ip", "netns", "add", probe], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"network namespaces cannot be made here: {error}"
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return None


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def inside(namespace: str, call: Callable[[], T]) -> T:
    """Return what `call` returns, run by a thread that is in the namespace."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def enter_and_call() -> None:
        try:
            libc = ctypes.CDLL(None, use_errno=True)
            with (_RUN / namespace).open() as handle:
                # A namespace belongs to the thread; this one ends with the call.
                if libc.setns(handle.fileno(), _CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 - raised again by the calling thread
            failure.append(error)

    thread = threading.Thread(target=enter_and_call)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def _plug(name: str, host: str, middle: str) -> str:
    """Give a host its address and a cable to `middle`; return the name of the other end."""
    port = f"to-{name[-1]}"
    _ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", port)
    _ip("-n", name, "link", "set", port, "netns", middle)
    _ip("-n", name, "addr", "add", f"{host}/24", "dev", "eth0")
    _ip("-n", name, "link", "set", "eth0", "up")
    _ip("-n", name, "link", "set", "lo", "up")
    return port


class Switch:
    """Joins the two hosts; `cut` drops what passes without telling either."""

    def __init__(self, name: str, port: str) -> None:
        self._name = name
        self._port = port

    def cut(self) -> None:
        """Stop passing packets; both links stay up, so nobody is told."""
        _ip("-n", self._name, "link", "set", self._port, "nomaster")

    def heal(self) -> None:
        """Pass packets again."""
        _ip("-n", self._name, "link", "set", self._port, "master", "switch")


class Router:
    """Joins two networks; `block` drops what one transport sends, without telling anybody."""

    def __init__(self, name: str) -> None:
        self._name = name

    def block(self, transport: str) -> None:
        """Drop `udp` or `tcp`."""
        _ip("-n", self._name, "rule", "add", "ipproto", transport, "blackhole")

    def unblock(self, transport: str) -> None:
        """Let it pass again."""
        _ip("-n", self._name, "rule", "del", "ipproto", transport, "blackhole")


@contextmanager
def two_networks() -> Iterator[tuple[tuple[str, str], Router]]:
    """Give the namespaces of two hosts, with the addresses `ROUTED`, and the router between."""
    tag = f"gr{os.getpid()}"
    left, right, middle = names = (f"{tag}a", f"{tag}b", f"{tag}m")
    with ExitStack() as stack:
        for name in names:
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
        for name, host in zip((left, right), ROUTED, strict=True):
            port, gateway = _plug(name, host, middle), host.rpartition(".")[0] + ".254"
            _ip("-n", middle, "addr", "add", f"{gateway}/24", "dev", port)
            _ip("-n", middle, "link", "set", port, "up")
            _ip("-n", name, "route", "add", "default", "via", gateway)
        inside(middle, lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))
        yield (left, right), Router(middle)


@contextmanager
def two_hosts() -> Iterator[tuple[tuple[str, str], Switch]]:
    """Give the namespaces of two hosts, with the addresses `HOSTS`, and their switch."""
    tag = f"gs{os.getpid()}"
    left, right, middle = names = (f"{tag}a", f"{tag}b", f"{tag}m")
    with ExitStack() as stack:
        for name in names:
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
        _ip("-n", middle, "link", "add", "switch", "type", "bridge")
        _ip("-n", middle, "link", "set", "switch", "up")
        for name, host in zip((left, right), HOSTS, strict=True):
            port = _plug(name, host, middle)
            _ip("-n", middle, "link", "set", port, "master", "switch", "up")
        yield (left, right), Switch(middle, "to-b")
