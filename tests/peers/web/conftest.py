from collections.abc import AsyncIterator

import pytest
from http_wire import Lab, SomeApi, Wire, open_lab
from small_site import LIMITS, Application


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
async def lab(application: Application) -> AsyncIterator[Lab]:
    async with open_lab(SomeApi(application.routes).place(), limits=LIMITS) as lab:
        yield lab


@pytest.fixture
def wire(lab: Lab) -> Wire:
    return lab.connect()
