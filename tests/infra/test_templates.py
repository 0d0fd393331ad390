"""What the templates must hold beyond names: no secrets, nothing public, and values that agree with the code's."""

import re

import pytest

from shared.domain.connection import Connection
from shared.domain.runs import Outcome
from shared.domain.write_back import WriteBack
from shared.settings import Settings
from tests.infra.app_names import indexed_functions
from tests.infra.template_names import INFRA, name_lists, role_table, settings, templates

ROOT = INFRA.parent
TEXTS = templates()
SITES = [name for name, text in TEXTS.items() if re.search(r"'Microsoft\.Web/sites@[\d-]+' = ", text)]
MEMORY = {"connections", "states", "runs", "tables", "directory", "leases", "receipts"}
"""Containers that no lifecycle rule may touch."""

BUILT_IN_ROLES = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_template_reads_or_gives_away_a_secret(name: str) -> None:
    text = TEXTS[name]

    assert not re.search(r"\blist\w*\(|\.getSecret\(|vaults/secrets@", text)
    assert not re.search(r"^output \w*(key|secret|password|token|sas)\w* ", text, re.MULTILINE | re.IGNORECASE)
    # Azure keeps ordinary parameters in the deployment's history.
    secret = re.compile(r"(@secure\(\)\n)?param (\w*(?:key|secret|password|token)\w*) ", re.IGNORECASE)
    assert all(secured for secured, _ in secret.findall(text))


def test_only_the_webhooks_key_passes_through_a_template() -> None:
    """It exists only after the code runs, and Event Grid has to be told; every other secret stays in the vault."""
    assert [name for name, text in TEXTS.items() if "@secure()" in text] == ["event-subscription.bicep"]
    assert TEXTS["event-subscription.bicep"].count("@secure()") == 1


@pytest.mark.parametrize("name", TEXTS)
def test_every_parameter_says_what_it_is_for_and_whether_it_is_needed(name: str) -> None:
    block = re.compile(r"((?:^(?:@.*|  .*|\])\n)*)^param (\w+) [^=\n]+?( = .*)?$", re.MULTILINE)
    found = block.findall(TEXTS[name])

    assert len(found) == len(re.findall(r"^param ", TEXTS[name], re.MULTILINE))
    for decorators, parameter, default in found:
        word = "Optional" if default else "Required"
        assert f"@description('{word}. " in decorators, parameter


@pytest.mark.parametrize(
    "line",
    [
        "allowSharedKeyAccess: false",
        "allowBlobPublicAccess: false",
        "minimumTlsVersion: 'TLS1_2'",
        "supportsHttpsTrafficOnly: true",
        "deleteRetentionPolicy: { enabled: false }",
        "isVersioningEnabled: false",
    ],
)
def test_the_storage_account_is_closed(line: str) -> None:
    """Soft delete and versions are off: they would keep people's data longer than is promised."""
    text = TEXTS["modules/storage.bicep"]

    assert re.search(rf"^ +{re.escape(line)}$", text, re.MULTILINE)
    assert text.count("publicAccess: 'None'") == len(re.findall(r"blobServices/containers@", text))


@pytest.mark.parametrize(
    "line",
    [
        "enableRbacAuthorization: true",
        "enablePurgeProtection: true",
        "enableSoftDelete: true",
        "logs: [{ categoryGroup: 'audit', enabled: true }]",
    ],
)
def test_the_vault_is_closed_and_audited(line: str) -> None:
    assert re.search(rf"^ +{re.escape(line)}$", TEXTS["modules/vault.bicep"], re.MULTILINE)


@pytest.mark.parametrize("name", SITES)
@pytest.mark.parametrize("line", ["httpsOnly: true", "minTlsVersion: '1.2'", "ftpsState: 'Disabled'"])
def test_every_app_takes_encrypted_calls_only(name: str, line: str) -> None:
    assert re.search(rf"^ +{re.escape(line)}$", TEXTS[name], re.MULTILINE)


@pytest.mark.parametrize("name", SITES)
def test_every_app_has_the_settings_and_the_identity_and_no_password(name: str) -> None:
    text = TEXTS[name]

    assert re.search(r"appSettings: (settings$|concat\(settings, )", text, re.MULTILINE)
    assert "type: 'UserAssigned'" in text
    # An image is pulled, not published: there is nothing to have a password for.
    assert ("for way in ['ftp', 'scm']" in text and "properties: { allow: false }" in text) or "DOCKER|" in text


def test_the_image_is_pulled_by_the_identity_and_the_registry_has_no_password() -> None:
    container, registry = TEXTS["modules/app-container.bicep"], TEXTS["modules/registry.bicep"]

    assert "acrUseManagedIdentityCreds: true" in container
    assert "acrUserManagedIdentityID: identityId" in container
    assert "adminUserEnabled: false" in registry
    assert "destination: 'azure-monitor'" in container


def test_with_a_network_no_app_is_open_to_everybody() -> None:
    """By its addresses, or because its environment has no public one."""
    for name in SITES:
        text = TEXTS[name]
        assert "ipSecurityRestrictionsDefaultAction: isPrivate ? 'Deny' : 'Allow'" in text or (
            "vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId, internal: true }" in text
        )


def test_every_plan_has_its_module_and_its_subnet() -> None:
    text = TEXTS["main.bicep"]
    allowed = re.search(r"^@allowed\(\[(.*)\]\)\nparam plan ", text, re.MULTILINE)
    delegations = re.search(r"^var delegations = \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    assert allowed is not None
    assert delegations is not None
    plans = set(re.findall(r"'(\w+)'", allowed[1]))

    assert plans == {"flex", "container", "premium", "none"}
    assert set(re.findall(r"^  (\w+): ", delegations[1], re.MULTILINE)) == plans
    modules = {
        (plan, module) for module, plan in re.findall(r"'modules/app-(\w+)\.bicep' = if \(plan == '(\w+)'\)", text)
    }
    assert modules == {(plan, plan) for plan in plans - {"none"}}
    assert len(SITES) == len(modules)


def test_logs_take_identities_only() -> None:
    text = TEXTS["modules/monitoring.bicep"]

    assert "disableLocalAuth: true" in text
    assert "DisableLocalAuth: true" in text


def test_all_of_the_lists_and_tables_are_made() -> None:
    """The comparison of names would be worth nothing if the templates did not go by the lists."""
    storage, roles = TEXTS["modules/storage.bicep"], TEXTS["modules/roles.bicep"]

    assert "var names = loadJsonContent('../names.json')" in storage
    for kind in ("containers", "queues", "tables"):
        assert re.search(rf"^resource {kind} .*\[\n  for each in names\.{kind}: \{{$", storage, re.MULTILINE)
    assert "var appRows = map(appRoles, row => " in roles
    for place in {row["on"] for table in ("appRoles", "operatorRoles") for row in role_table(table)}:
        assert f"for row in filter(rows, each => each.on == '{place}'): {{\n    scope: {place}\n" in roles


@pytest.mark.parametrize("table", ["appRoles", "operatorRoles"])
def test_ids_of_roles_are_those_of_azure(table: str) -> None:
    rows = role_table(table)
    text = TEXTS["modules/roles.bicep"].partition(f"var {table} = [\n")[2].partition("\n]")[0]

    assert len(rows) == len(text.splitlines()) > 0
    assert all(row["id"] == BUILT_IN_ROLES[row["role"]] for row in rows)


def test_every_row_of_the_settings_is_read() -> None:
    table = TEXTS["modules/settings.bicep"].partition("func settingsOf(given settingsInput) setting[] => [\n")[2]

    assert len(settings()) == len(table.partition("\n]")[0].splitlines())


def test_knobs_stand_at_the_defaults_of_the_code() -> None:
    """A default that changes in the code must not live on in deployments by accident."""
    fields = Settings.model_fields
    literals = {name: value[1:-1] for name, value in settings().items() if re.fullmatch(r"'[^'$]*'", value)}
    knobs = {name.removeprefix("LMS_").lower(): value for name, value in literals.items() if name.startswith("LMS_")}
    read = Settings.model_validate({"vault_url": "https://vault.example", **knobs})

    assert knobs
    assert {name: getattr(read, name) for name in knobs} == {name: fields[name].default for name in knobs}


def test_rules_of_the_lifecycle_sweep_what_the_app_sweeps_and_later() -> None:
    swept = {each["name"] for each in name_lists()["containers"] if each.get("swept")}
    days = re.search(r"^param sweptAfterDays int = (\d+)$", TEXTS["main.bicep"], re.MULTILINE)
    fields = {**Connection.model_fields, **WriteBack.model_fields}
    memory = {"receipt_retention_days"}
    promised = [
        each.default for name, each in fields.items() if name.endswith("_retention_days") and name not in memory
    ]

    assert swept == {each["name"] for each in name_lists()["containers"]} - MEMORY
    assert days is not None
    assert int(days[1]) > 2 * max(promised)


def test_alerts_look_for_lines_that_the_code_writes() -> None:
    queries = " ".join(re.findall(r"query: '(.*)'", TEXTS["modules/alerts.bicep"]))
    code = "".join(file.read_text("utf-8") for file in (ROOT / "shared" / "pipeline").glob("*.py"))
    events = set(re.findall(r'Message startswith "([^"]+)"', queries))
    outcomes = set(re.findall(r'"outcome=(\w+)"', queries))
    functions = set(re.findall(r'Name == "(\w+)"', queries))

    assert {"run.ended", "run.halted", "collect.failed"} <= events
    assert all(f'"{event} ' in code for event in events)
    assert outcomes
    assert outcomes <= set(Outcome)
    assert "outcome=%s" in code
    assert functions == {name for name, each in indexed_functions().items() if each["type"] == "timerTrigger"}


def test_events_of_packages_reach_the_function_when_all_is_there() -> None:
    text = TEXTS["event-subscription.bicep"]

    assert "functionName=Host.Functions.${trigger.function}&code=${webhookKey}'" in text
    assert "subjectBeginsWith: '/blobServices/default/containers/${trigger.container}/'" in text
    assert "'PutBlockList'" in text
    assert "for trigger in triggers: {" in text


def test_nobody_calls_the_interface_without_a_token() -> None:
    """A key alone is a password that travels; without an app registration the interface is off."""
    text, main = TEXTS["modules/sign-in.bicep"], TEXTS["main.bicep"]
    served = {name for name, each in indexed_functions().items() if each["type"] == "httpTrigger"}

    assert set(name_lists()["api"]) == served
    assert "requireAuthentication: true" in text
    assert "unauthenticatedClientAction: 'Return401'" in text
    assert "var hasApi = !empty(apiClientId) && contains(['flex', 'premium'], plan)" in main
    assert "var apiOff = map(hasApi ? [] : api, " in main
    assert "module signIn 'modules/sign-in.bicep' = if (hasApi)" in main


@pytest.mark.parametrize("file", [file.name for file in INFRA.glob("*.bicepparam")])
def test_parameters_name_what_their_template_has(file: str) -> None:
    text = (INFRA / file).read_text("utf-8")
    using = re.search(r"^using '(.+)'$", text, re.MULTILINE)
    assert using is not None
    template = TEXTS[using[1]]
    given = set(re.findall(r"^param (\w+) = ", text, re.MULTILINE))

    assert given <= set(re.findall(r"^param (\w+) ", template, re.MULTILINE))
    assert set(re.findall(r"^param (\w+) [^=\n]+$", template, re.MULTILINE)) <= given
