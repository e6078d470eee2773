import pytest
from instant_mesh import InstantMesh


@pytest.fixture
def mesh() -> InstantMesh:
    """Return five peers that have met."""
    return InstantMesh("a", "b", "c", "d", "e")
