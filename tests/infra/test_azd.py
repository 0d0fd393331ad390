"""azure.yaml, for whoever deploys with the Azure Developer CLI; and the workflows."""

import re

from tests.infra.template_names import INFRA, templates
from tests.infra.yaml_files import ROOT, read_yaml, schema_complains

(AZURE,) = read_yaml("azure.yaml")
HOOK = {"shell", "run", "interactive", "continueOnError", "windows", "posix"}
"""What its schema allows a hook, of what could be used here."""


def test_it_says_what_the_schema_asks_for_and_allows() -> None:
    assert set(AZURE) <= {"name", "metadata", "infra", "services", "hooks"}
    assert re.fullmatch("[a-z0-9]([-a-z0-9]*[a-z0-9])?", AZURE["name"])
    assert set(AZURE["infra"]) <= {"provider", "path", "module"}
    for service in AZURE["services"].values():
        assert {"host", "project"} <= set(service) <= {"host", "project", "language", "remoteBuild", "hooks"}
    for name, hook in AZURE["hooks"].items():
        assert re.fullmatch("(pre|post)(provision|deploy|up|down|package|restore|infracreate|infradelete)", name)
        assert {"shell", "run"} <= set(hook) <= HOOK
        assert hook["shell"] in ("sh", "pwsh")


def test_it_finds_the_parameters_and_the_app() -> None:
    """It takes NAME.bicepparam of the module's name, and the resource that wears the service's."""
    (service,) = AZURE["services"]
    infra = AZURE["infra"]

    assert (
        (ROOT / infra["path"] / f"{infra['module']}.bicepparam").read_text("utf-8").startswith("using 'main.bicep'\n")
    )
    assert f"'azd-service-name': '{service}'" in templates()["modules/app-flex.bicep"]
    assert AZURE["services"][service] == {"project": ".", "language": "py", "host": "function"}


def test_hooks_run_scripts_that_are_there_with_what_azd_knows() -> None:
    """Outputs of the deployment and what is in the environment come to a hook as variables."""
    outputs = set(re.findall(r"^output (\w+) ", templates()["main.bicep"], re.MULTILINE))
    parameters = (INFRA / f"{AZURE['infra']['module']}.bicepparam").read_text("utf-8")
    known = outputs | set(re.findall(r"readEnvironmentVariable\('(\w+)'", parameters)) | {"AZURE_RESOURCE_GROUP"}

    for hook in AZURE["hooks"].values():
        script, *arguments = hook["run"].split()
        assert (ROOT / script).stat().st_mode & 0o111
        assert {argument.strip('"').removeprefix("$") for argument in arguments} <= known
        # A question that cannot be answered would wait for ever.
        assert hook.get("interactive", False) == ("read -r -p" in (ROOT / script).read_text("utf-8"))


def test_workflows_are_what_github_reads() -> None:
    paths = [str(path.relative_to(ROOT)) for path in sorted((ROOT / ".github" / "workflows").iterdir())]

    assert schema_complains("vendor.github-workflows", *paths) == ""
    for path in paths:
        (workflow,) = read_yaml(path)
        assert workflow["permissions"]["contents"] == "read"
        assert all(job["timeout-minutes"] for job in workflow["jobs"].values())
        assert "secrets." not in (ROOT / path).read_text("utf-8"), "nothing here needs a password"


def test_the_workflow_tries_what_these_tests_can_only_read() -> None:
    """Microsoft's compiler, Docker, and Kubernetes' own reader are there, and are not here."""
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")

    for tried in ("az bicep build ", "docker build ", "docker compose ", "kubectl kustomize infra/kubernetes"):
        assert tried in text
