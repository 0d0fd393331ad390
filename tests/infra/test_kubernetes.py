"""The manifests: names that are the app's, and no field that Kubernetes or KEDA does not know."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.app_names import indexed_functions
from tests.infra.template_names import INFRA, name_lists, settings
from tests.infra.yaml_files import read_yaml

FOLDER = INFRA / "kubernetes"
KUSTOMIZATION = read_yaml("infra/kubernetes/kustomization.yaml")[0]
DOCUMENTS = [each for name in KUSTOMIZATION["resources"] for each in read_yaml(f"infra/kubernetes/{name}")]
BY_KIND = {each["kind"]: each for each in DOCUMENTS}
POD = BY_KIND["Deployment"]["spec"]["template"]["spec"]

ONLY_HERE = {
    "AzureFunctionsWebHost__hostid": "elsewhere the app's name; here every pod would have one of its own",
    "WEBSITE_CLOUD_ROLENAME": "elsewhere the app's name; alerts look for it",
    **{f"AzureWebJobs_{each}_Disabled": "nothing asks for tokens in front of it" for each in name_lists()["api"]},
}
"""Settings that no template sets, and why."""

FIELDS: dict[str, Any] = {
    "ScaledObject": {
        "scaleTargetRef": {"name": str},
        "minReplicaCount": int,
        "maxReplicaCount": int,
        "pollingInterval": int,
        "triggers": [
            {
                "type": str,
                "metadata": {"queueName": str, "queueLength": str, "accountName": str},
                "authenticationRef": {"name": str},
            }
        ],
    },
    "TriggerAuthentication": {"podIdentity": {"provider": str, "identityId": str}},
}
"""Of the definitions of `keda.sh/v1alpha1` and its scaler `azure-queue`, what is used here. All metadata are texts."""
VERSIONS = {
    "Namespace": "v1",
    "ServiceAccount": "v1",
    "Deployment": "apps/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "ScaledObject": "keda.sh/v1alpha1",
    "TriggerAuthentication": "keda.sh/v1alpha1",
}


def unknown(value: object, known: object, path: str) -> Iterator[str]:
    """Yield the path of everything that is not as it is known."""
    match known, value:
        case dict(), dict():
            for name, each in value.items():
                yield from unknown(each, known.get(name), f"{path}.{name}")
        case [inner], list():
            for each in value:
                yield from unknown(each, inner, f"{path}[]")
        case type(), _ if isinstance(value, known):
            pass
        case _:
            yield path


def environment(name: str) -> dict[str, str]:
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def test_everything_is_of_a_version_that_clusters_have() -> None:
    assert {each["kind"]: each["apiVersion"] for each in DOCUMENTS} == VERSIONS
    assert {path.name for path in FOLDER.glob("*.yaml")} == {*KUSTOMIZATION["resources"], "kustomization.yaml"}


@pytest.mark.parametrize("kind", FIELDS)
def test_keda_is_told_nothing_that_it_does_not_know(kind: str) -> None:
    assert list(unknown(BY_KIND[kind]["spec"], FIELDS[kind], kind)) == []
    assert list(unknown({**BY_KIND[kind]["spec"], "made": "up"}, FIELDS[kind], kind)) == [f"{kind}.made"]


def test_every_queue_that_work_waits_in_makes_pods() -> None:
    """In one object: KEDA refuses a second one for the same Deployment.

    Poison queues are in no hurry; one pod is always there.
    """
    triggers = BY_KIND["ScaledObject"]["spec"]["triggers"]
    queues = [each["metadata"]["queueName"] for each in triggers]
    of_the_app = {each["queueName"] for each in indexed_functions().values() if "queueName" in each}

    assert {each["type"] for each in triggers} == {"azure-queue"}
    assert len(queues) == len(set(queues))
    assert set(queues) == {queue for queue in of_the_app if not queue.endswith("-poison")}
    assert set(queues) == {queue for queue in name_lists()["queues"] if not queue.endswith("-poison")}


def test_names_fit_together() -> None:
    deployment, scaling = BY_KIND["Deployment"], BY_KIND["ScaledObject"]["spec"]
    (container,) = POD["containers"]

    assert scaling["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert {each["authenticationRef"]["name"] for each in scaling["triggers"]} == {
        BY_KIND["TriggerAuthentication"]["metadata"]["name"]
    }
    assert POD["serviceAccountName"] == BY_KIND["ServiceAccount"]["metadata"]["name"]
    assert container["image"] == KUSTOMIZATION["images"][0]["name"]
    assert container["envFrom"] == [{"configMapRef": {"name": KUSTOMIZATION["configMapGenerator"][0]["name"]}}]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= deployment["spec"]["selector"]["matchLabels"].items()
    assert labels.items() >= BY_KIND["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"].items()
    assert BY_KIND["Namespace"]["metadata"]["name"] == KUSTOMIZATION["namespace"]


def test_settings_are_those_of_azure() -> None:
    """The same names, and the same values where a template has one that does not depend on the deployment."""
    fixed, of_the_deployment = environment("settings.env"), environment("deployment.env")
    literals = {name: value[1:-1] for name, value in settings().items() if re.fullmatch(r"'[^'$]*'", value)}

    assert KUSTOMIZATION["configMapGenerator"][0]["envs"] == ["settings.env", "deployment.env"]
    assert not fixed.keys() & of_the_deployment.keys()
    assert fixed.keys() | of_the_deployment.keys() == settings().keys() | ONLY_HERE.keys()
    assert literals.items() <= fixed.items()


def test_schedules_are_those_of_azure() -> None:
    main = (INFRA / "main.bicep").read_text("utf-8")
    fixed = environment("settings.env")

    for name, parameter in (("COLLECT_SCHEDULE", "collectSchedule"), ("SWEEP_SCHEDULE", "sweepSchedule")):
        assert f"param {parameter} string = '{fixed[name]}'" in main


def test_what_is_said_once_reaches_every_place() -> None:
    """`kubectl kustomize` puts it there; the places hold a word that is nobody's name until then."""
    waiting = "from-deployment-env"
    sources = {each["source"]["fieldPath"].removeprefix("data.") for each in KUSTOMIZATION["replacements"]}
    targets = {
        (target["select"]["kind"], path)
        for each in KUSTOMIZATION["replacements"]
        for target in each["targets"]
        for path in target["fieldPaths"]
    }

    assert sources <= environment("deployment.env").keys()
    assert targets == {
        ("ScaledObject", "spec.triggers.*.metadata.accountName"),
        ("TriggerAuthentication", "spec.podIdentity.identityId"),
        ("ServiceAccount", "metadata.annotations.[azure.workload.identity/client-id]"),
    }
    assert BY_KIND["TriggerAuthentication"]["spec"]["podIdentity"] == {
        "provider": "azure-workload",
        "identityId": waiting,
    }
    assert BY_KIND["ServiceAccount"]["metadata"]["annotations"] == {"azure.workload.identity/client-id": waiting}


def test_pods_may_do_nothing_that_they_need_not() -> None:
    """As the standard `restricted` asks, which the namespace enforces."""
    (container,) = POD["containers"]
    everything = "\n".join(file.read_text("utf-8") for file in FOLDER.iterdir())

    assert POD["securityContext"]["runAsNonRoot"] is True
    assert POD["securityContext"]["runAsUser"] == 10001
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert POD["automountServiceAccountToken"] is False
    assert BY_KIND["Deployment"]["spec"]["template"]["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert BY_KIND["NetworkPolicy"]["spec"]["ingress"] == []
    assert "kind: Secret" not in everything
    assert "AccountKey" not in everything
