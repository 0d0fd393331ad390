#!/usr/bin/env bash
# Grants the connector's identity the app roles of Microsoft Graph that it needs. The portal has no button for that.
#
#   infra/graph-permissions.sh PRINCIPAL_ID [--without-learners] [--yes]
#
# PRINCIPAL_ID is the output identityPrincipalId of the deployment. Whoever runs it is signed in with `az login` and is
# Privileged Role Administrator, or Global Administrator. Roles that are granted already are left alone, so it may be
# run again. --without-learners leaves out what only learner record sync needs.
set -euo pipefail

GRAPH=https://graph.microsoft.com
GRAPH_APP_ID=00000003-0000-0000-c000-000000000000 # the same in every tenant
ROLES=(LearningContent.ReadWrite.All)
LEARNER_ROLES=(LearningAssignedCourse.ReadWrite.All LearningSelfInitiatedCourse.ReadWrite.All User.Read.All)

principal='' learners=yes agreed=no
for argument in "$@"; do
  case $argument in
    --without-learners) learners=no ;;
    --yes) agreed=yes ;;
    -*) echo "Unknown option $argument." >&2; exit 2 ;;
    *) principal=$argument ;;
  esac
done
if [[ ! $principal =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]]; then
  echo "Name the principal id of the identity, which the deployment printed: $0 PRINCIPAL_ID" >&2
  exit 2
fi
if [ "$learners" = yes ]; then ROLES+=("${LEARNER_ROLES[@]}"); fi

# Ids of app roles are looked up by name, so that none has to be trusted from a list.
graph=$(az rest --method get --url "$GRAPH/v1.0/servicePrincipals(appId='$GRAPH_APP_ID')?\$select=id" --query id --output tsv)
granted=$(az rest --method get --url "$GRAPH/v1.0/servicePrincipals/$principal/appRoleAssignments" \
  --query 'value[].appRoleId' --output tsv)

missing=()
for role in "${ROLES[@]}"; do
  id=$(az rest --method get --url "$GRAPH/v1.0/servicePrincipals/$graph?\$select=appRoles" \
    --query "appRoles[?value=='$role' && contains(allowedMemberTypes, 'Application')].id | [0]" --output tsv)
  if [ -z "$id" ] || [ "$id" = None ]; then
    echo "Graph knows no app role $role in this tenant. Viva Learning is in the worldwide cloud only." >&2
    exit 1
  fi
  if grep -qix "$id" <<<"$granted"; then
    echo "$role: granted already"
  else
    missing+=("$role=$id")
  fi
done
if [ ${#missing[@]} = 0 ]; then
  echo "Nothing to do."
  exit 0
fi

echo "To be granted to $principal:"
printf '  %s\n' "${missing[@]%%=*}"
if [ "$agreed" = no ]; then
  read -r -p "Go on? [y/N] " answer
  [[ $answer == [yY]* ]] || { echo "Nothing was changed."; exit 1; }
fi
for each in "${missing[@]}"; do
  az rest --method post --url "$GRAPH/v1.0/servicePrincipals/$principal/appRoleAssignments" --output none \
    --body "{\"principalId\": \"$principal\", \"resourceId\": \"$graph\", \"appRoleId\": \"${each#*=}\"}"
  echo "${each%%=*}: granted"
done
echo "A token that the app holds already does not know of it: it may take up to a day, or a restart of the app."
