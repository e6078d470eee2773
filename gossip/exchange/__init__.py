"""Conversations over streams: joining, healing, repair."""

from ._contacts import Contacts as Contacts
