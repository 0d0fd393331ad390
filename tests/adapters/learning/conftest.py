"""Both services that courses and completions go back to, each with its adapter."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.local.certificate import Certificate
from infra.local.stackone import StackOneSimulator
from infra.local.successfactors import SuccessFactorsSimulator
from tests.adapters.learning.scene import USERS, Clock, Scene

KINDS = {"successfactors": SuccessFactorsSimulator, "stackone": StackOneSimulator}

type MakeScene = Callable[[str], Scene]


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.kept_in(tmp_path_factory.mktemp("learning-certificate"))


@pytest.fixture(scope="session")
def trusted(certificate: Certificate) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=Path(certificate.certificate_file))


@pytest.fixture
def make_scene(certificate: Certificate, trusted: ssl.SSLContext) -> Iterator[MakeScene]:
    with ExitStack() as running:

        def make(kind: str) -> Scene:
            clock = Clock()
            simulator = running.enter_context(KINDS[kind](certificate=certificate, clock=clock))
            simulator.add_users(*USERS)
            return Scene(simulator, clock, trusted)

        yield make


@pytest.fixture(params=list(KINDS))
def scene(request: pytest.FixtureRequest, make_scene: MakeScene) -> Scene:
    """The contract runs on both: what one adapter promises must be true of the other."""
    return make_scene(request.param)


@pytest.fixture
def successfactors(make_scene: MakeScene) -> Scene:
    return make_scene("successfactors")


@pytest.fixture
def stackone(make_scene: MakeScene) -> Scene:
    return make_scene("stackone")


@pytest.fixture
def untrusting(scene: Scene) -> None:
    """Let the adapter trust nobody."""
    scene.trusted = ssl.create_default_context()
