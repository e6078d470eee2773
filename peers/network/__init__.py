"""Sockets, streams, routes and seed names."""

from ._frames import converse as converse
from ._network import Endpoint as Endpoint, Network as Network, SocketNetwork as SocketNetwork
from ._route import find_advertised as find_advertised, refuse_loopback as refuse_loopback
from ._seeds import Seeds as Seeds
from ._statistics import endpoint_metrics as endpoint_metrics
