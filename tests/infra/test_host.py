"""host.json, and the plans that it has to suit."""

import json
import re
import tomllib
from datetime import timedelta

import pytest

from shared.settings import Settings
from tests.infra.app_names import indexed_functions
from tests.infra.template_names import INFRA, templates
from tests.infra.yaml_files import read_yaml

ROOT = INFRA.parent
HOST = json.loads((ROOT / "host.json").read_text("utf-8"))
TEXTS = templates()
MAIN, CONTAINER = TEXTS["main.bicep"], TEXTS["modules/app-container.bicep"]
PACKAGES, QUEUES = HOST["extensions"]["blobs"]["maxDegreeOfParallelism"], HOST["extensions"]["queues"]

LONGEST_MINUTES = {"Consumption": 10, "FlexConsumption": None, "ElasticPremium": None, "Container Apps": None}
"""How long a function may take at most, by plan; `None` for as long as host.json says."""
ENGINE_APART_MB = 200
"""What the worker needs beside the columnar engine."""


def plans() -> set[str]:
    """The plans that the templates can make."""
    found = set(re.findall(r"sku: \{ tier: '(\w+)'", "".join(TEXTS.values())))
    return found | ({"Container Apps"} if "'Microsoft.App/managedEnvironments@" in CONTAINER else set())


def memory_limits_mb() -> dict[int, int]:
    """What the columnar engine gets, by the memory of an instance."""
    sizes = re.search(r"^var memoryLimitsMb = \{ (.*) \}$", MAIN, re.MULTILINE)
    assert sizes is not None
    return {int(size): int(limit) for size, limit in re.findall(r"'(\d+)': (\d+)", sizes[1])}


def test_no_plan_ends_a_function_before_its_time() -> None:
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))
    asked = timedelta(hours=hours, minutes=minutes, seconds=seconds)

    assert plans() == LONGEST_MINUTES.keys() - {"Consumption"}
    assert not [plan for plan in plans() if (most := LONGEST_MINUTES[plan]) and asked > timedelta(minutes=most)]
    assert asked > timedelta(minutes=30), "what the plans allow when nothing is said"


def test_plans_without_a_fitting_trigger_are_kept_warm() -> None:
    """With an identity only queues start an instance on Container Apps, and a timer fires where one is.

    Only there is the time of a function bounded by its trigger, too, when nothing is warm.
    """
    for name in ("modules/app-container.bicep", "modules/app-premium.bicep"):
        assert re.search(r"^ +minimumElasticInstanceCount: 1$", TEXTS[name], re.MULTILINE)
    assert read_yaml("infra/kubernetes/scaling.yaml")[0]["spec"]["minReplicaCount"] >= 1
    kinds = {each["type"] for each in indexed_functions().values()}

    assert kinds == {"timerTrigger", "queueTrigger", "blobTrigger", "httpTrigger"}


def test_the_bundle_has_the_triggers_of_the_app() -> None:
    """Bundle 4 brings the storage extension 5, which has Event Grid as a source and identities; 5 is not out yet."""
    assert HOST["version"] == "2.0"
    assert HOST["extensionBundle"] == {
        "id": "Microsoft.Azure.Functions.ExtensionBundle",
        "version": "[4.*, 5.0.0)",
    }
    assert indexed_functions()["process_package"]["source"] == "EventGrid"


def test_messages_are_taken_as_the_host_allows() -> None:
    """It takes 32 at a time at most, and fetches again when fewer than the threshold are left."""
    assert 1 <= QUEUES["batchSize"] <= 32
    assert 0 <= QUEUES["newBatchThreshold"] < QUEUES["batchSize"]


def test_kubernetes_gives_a_pod_as_many_messages_as_it_takes() -> None:
    triggers = read_yaml("infra/kubernetes/scaling.yaml")[0]["spec"]["triggers"]

    at_a_time = QUEUES["batchSize"] + QUEUES["newBatchThreshold"]
    assert {each["metadata"]["queueLength"] for each in triggers} == {str(at_a_time)}


def test_memory_of_the_engine_fits_into_every_size_of_instance() -> None:
    allowed = re.search(r"@allowed\(\[([\d, ]+)\]\)\nparam instanceMemoryMb", MAIN)
    assert allowed is not None
    limits = memory_limits_mb()

    assert set(limits) == {int(size) for size in allowed[1].split(",")}
    assert all(PACKAGES * limit + ENGINE_APART_MB <= size for size, limit in limits.items())
    for limit in limits.values():
        Settings.model_validate({"vault_url": "https://vault.example", "memory_limit_mb": limit})


def test_container_apps_has_a_size_for_every_size_of_instance() -> None:
    """It sells two gigabytes with every processor, and nothing between."""
    sizes = re.findall(
        r"^  '(\d+)': \{ cpu: (?:json\(')?([\d.]+)(?:'\))?, memory: '([\d.]+)Gi' \}$", CONTAINER, re.MULTILINE
    )

    assert {int(size) for size, _, _ in sizes} == set(memory_limits_mb())
    assert all(float(memory) * 1024 == int(size) and float(memory) == 2 * float(cpu) for size, cpu, memory in sizes)


def test_memory_of_the_engine_fits_into_a_pod() -> None:
    (pod,) = read_yaml("infra/kubernetes/app.yaml")[0]["spec"]["template"]["spec"]["containers"]
    settings = (INFRA / "kubernetes" / "settings.env").read_text("utf-8")
    limit = re.search(r"^LMS_MEMORY_LIMIT_MB=(\d+)$", settings, re.MULTILINE)
    assert limit is not None

    assert pod["resources"]["limits"]["memory"].endswith("Gi")
    assert memory_limits_mb()[int(pod["resources"]["limits"]["memory"].removesuffix("Gi")) * 1024] == int(limit[1])


@pytest.mark.parametrize("name", [name for name in TEXTS if name.startswith("modules/app-")])
def test_every_plan_runs_the_python_of_the_project(name: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    version = re.search(
        r"(?:name: 'python', version: '|linuxFxVersion: 'Python\||python:4-python)([\d.]+)'", TEXTS[name]
    )

    assert version is not None
    assert project["requires-python"].startswith(f">={version[1]},")
