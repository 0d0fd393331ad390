"""What the templates must not leave open, looked for in the templates as they are read, resource by resource."""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tests.infra.bicep import Expression, Resource, outputs, walk

SITES = "Microsoft.Web/sites"
ACCOUNTS = "Microsoft.Storage/storageAccounts"
VAULTS = "Microsoft.KeyVault/vaults"

RULES: Mapping[str, Mapping[str, object]] = {
    ACCOUNTS: {
        "allowSharedKeyAccess": False,
        "allowBlobPublicAccess": False,
        "allowCrossTenantReplication": False,
        "defaultToOAuthAuthentication": True,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
        "isSftpEnabled": False,
    },
    f"{ACCOUNTS}/blobServices/containers": {"publicAccess": "None"},
    VAULTS: {
        "enableRbacAuthorization": True,
        "enableSoftDelete": True,
        "enablePurgeProtection": True,
        "enabledForTemplateDeployment": False,
        "enabledForDeployment": False,
    },
    SITES: {
        "httpsOnly": True,
        "siteConfig.minTlsVersion": "1.2",
        "siteConfig.scmMinTlsVersion": "1.2",
        "siteConfig.ftpsState": "Disabled",
    },
    f"{SITES}/basicPublishingCredentialsPolicies": {"allow": False},
    "Microsoft.OperationalInsights/workspaces": {"features.disableLocalAuth": True},
    "Microsoft.Insights/components": {"DisableLocalAuth": True},
    "Microsoft.ContainerRegistry/registries": {"adminUserEnabled": False},
}
"""Properties that every resource of a type has, by their path."""

NOT_THERE = {"azurecontainerapps": {"siteConfig.scmMinTlsVersion"}}
"""What sites of a kind have not got: an image is not published to a site of its own."""

_SECRET_NAME = re.compile(r"key|secret|password|token|sas|credential", re.IGNORECASE)
_SECRET_SOURCE = re.compile(
    r"\blist\w*\(|getSecret\(|accountKey|sharedKey|primaryKey|instrumentationKey", re.IGNORECASE
)
_OLD_TLS = re.compile(r"^(TLS)?1[._][01]$")


def rules_of(found: Resource) -> dict[str, object]:
    """Return what a resource has to say, by path."""
    kind = str(found.body.get("kind", ""))
    spared = {path for part, paths in NOT_THERE.items() if part in kind for path in paths}
    return {path: wanted for path, wanted in RULES.get(found.type, {}).items() if path not in spared}


def weaknesses(found: Iterable[Resource]) -> Iterator[str]:
    """Yield a sentence for everything that is open, or not said to be closed."""
    for each in found:
        where = f"{each.file}, {each.symbol}"
        values = {path: value for path, value in walk(each.properties) if path}
        for path, wanted in rules_of(each).items():
            if values.get(path) != wanted:
                yield f"{where}: {path} is {values.get(path)!r}, and has to be {wanted!r}."
        for path, value in values.items():
            if isinstance(value, str) and "tls" in path.lower() and _OLD_TLS.match(value):
                yield f"{where}: {path} takes calls by an old TLS."
            if isinstance(value, Expression) and _SECRET_SOURCE.search(value):
                yield f"{where}: {path} reads a secret."
        destination = each.properties.get("destination", {})
        is_webhook = isinstance(destination, dict) and destination.get("endpointType") == "WebHook"
        if is_webhook and values.get("destination.properties.minimumTlsVersionAllowed") != "1.2":
            yield f"{where}: the webhook is called by an old TLS."


def secret_outputs(file: Path) -> Iterator[str]:
    """Yield a sentence for every output that may give a secret away: Azure keeps outputs in a deployment's history."""
    for name, value in outputs(file).items():
        if _SECRET_NAME.search(name) or _SECRET_SOURCE.search(value):
            yield f"{file.name}: the output {name} gives a secret away."
