"""The connection says which kind of LMS its own is."""

import pytest

from shared.adapters.learning import HttpxLearningTargets
from shared.adapters.stackone import StackOneTarget
from shared.adapters.successfactors import SuccessFactorsTarget
from shared.domain.errors import SettingsError
from tests.adapters.learning.scene import Scene, secret


def test_the_kind_of_the_target_picks_the_adapter(scene: Scene) -> None:
    targets = HttpxLearningTargets(timeout_seconds=5, trusted=lambda: scene.trusted)
    expected = {"successfactors": SuccessFactorsTarget, "stackone": StackOneTarget}

    with targets.open(scene.write_back, [secret(scene.simulator.secret)], scene.clock.now) as target:
        assert isinstance(target, expected[scene.write_back.target.kind])


def test_a_session_without_any_secret_is_a_login_that_is_refused(scene: Scene) -> None:
    targets = HttpxLearningTargets(timeout_seconds=5, trusted=lambda: scene.trusted)

    with pytest.raises(SettingsError), targets.open(scene.write_back, [], scene.clock.now) as target:
        target.find_users("x")
