"""One value from every way in to the registry."""

from dataclasses import FrozenInstanceError, fields

import pytest

from gossamer.peers import Registration
from gossamer.peers.model import RegistrationFields


def test_a_call_may_name_every_field_but_service_and_source() -> None:
    """A field that is added to the one is added to the other, or no caller could give it."""
    of_value = {each.name for each in fields(Registration)}
    assert RegistrationFields.__annotations__.keys() == of_value - {"service", "source"}
    assert RegistrationFields.__required_keys__ == {"port"}


def test_a_registration_is_a_value() -> None:
    """It can be kept, compared and handed on; nobody on its way changes it."""
    wanted = Registration(service="orders", port=8080)
    assert wanted == Registration(service="orders", port=8080, source="process")
    with pytest.raises(FrozenInstanceError):
        wanted.port = 1  # type: ignore[misc]
