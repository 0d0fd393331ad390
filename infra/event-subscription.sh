#!/usr/bin/env bash
# Lets a package, or a file in the inbox, start its function as soon as it has come. To be run once the code has been
# published.
#
#   infra/event-subscription.sh RESOURCE_GROUP PREFIX [APP]
#
# APP is the function app's name, which otherwise the deployment `main` of the resource group says.
#
# The webhook of the functions host has a key that exists only after the code has run for the first time. It is handed
# to Event Grid through the environment: it is in no file, no argument and no deployment's history.
set -euo pipefail

if [ $# -lt 2 ] || [ $# -gt 3 ]; then
  echo "Name the resource group and the prefix: $0 RESOURCE_GROUP PREFIX [APP]" >&2
  exit 2
fi
group=$1
export LMS_PREFIX=$2

app=${3:-$(az deployment group show --resource-group "$group" --name main --query properties.outputs.appName.value --output tsv)}
LMS_WEBHOOK_KEY=$(az functionapp keys list --resource-group "$group" --name "$app" \
  --query systemKeys.blobs_extension --output tsv)
export LMS_WEBHOOK_KEY
if [ -z "$LMS_WEBHOOK_KEY" ] || [ "$LMS_WEBHOOK_KEY" = None ]; then
  echo "The app $app has no key blobs_extension yet. Publish the code, wait a minute, and try again." >&2
  exit 1
fi
az deployment group create --resource-group "$group" --name event-subscription --output none \
  --parameters "$(dirname "$0")/event-subscription.bicepparam"
echo "Packages in the container sealed now start process_package, and files in the container inbox read_inbox."
