"""The connection says which kind of LMS its own is."""

import pytest

from shared.adapters.learning import HttpxLearningTargets
from shared.adapters.stackone import StackOneTarget, StackOneTargets
from shared.adapters.successfactors import SuccessFactorsTarget, SuccessFactorsTargets
from shared.domain.errors import SettingsError
from tests.adapters.learning.scene import Scene, secret


def test_the_kind_of_the_target_picks_the_adapter(scene: Scene) -> None:
    targets = HttpxLearningTargets(timeout_seconds=5, trusted=lambda: scene.trusted)
    expected = {"successfactors": SuccessFactorsTarget, "stackone": StackOneTarget}

    with targets.open(scene.write_back, [secret(scene.simulator.secret)], scene.clock.now) as target:
        assert isinstance(target, expected[scene.write_back.target.kind])


def test_an_adapter_opens_no_target_of_another_kind(scene: Scene) -> None:
    other = StackOneTargets() if scene.write_back.target.kind == "successfactors" else SuccessFactorsTargets()

    with pytest.raises(TypeError, match="another adapter"), other.open(scene.write_back, [], scene.clock.now):
        pass


def test_a_session_without_any_secret_is_a_login_that_is_refused(scene: Scene) -> None:
    targets = HttpxLearningTargets(timeout_seconds=5, trusted=lambda: scene.trusted)

    with pytest.raises(SettingsError), targets.open(scene.write_back, [], scene.clock.now) as target:
        target.find_users("x")
