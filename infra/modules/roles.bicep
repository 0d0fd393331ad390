metadata description = 'Who may do what. These two tables are all of it.'

@description('Required. Principal id of the app\'s identity.')
param appPrincipalId string

@description('Required. Object id of the Entra group of operators; empty for none.')
param operatorGroupId string

@description('Required. Name of the storage account.')
param storageName string

@description('Required. Name of the vault.')
param vaultName string

@description('Required. Name of Application Insights.')
param insightsName string

@description('Required. Name of the registry that holds the app\'s image; empty where the app is no image, or the registry is somebody else\'s.')
param registryName string

// Ids are those of Azure's built-in roles.
var appRoles = [
  { on: 'storage', role: 'Storage Blob Data Owner', id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b' }
  { on: 'storage', role: 'Storage Queue Data Contributor', id: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' }
  { on: 'storage', role: 'Storage Table Data Contributor', id: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' }
  { on: 'vault', role: 'Key Vault Secrets User', id: '4633458b-17de-408a-b874-0445c86b69e6' }
  { on: 'insights', role: 'Monitoring Metrics Publisher', id: '3913510d-42f4-4e42-8a64-420c390055eb' }
  { on: 'registry', role: 'AcrPull', id: '7f951dda-4ed3-4680-a7ca-43fe172d538d' }
]
var operatorRoles = [
  { on: 'storage', role: 'Storage Blob Data Contributor', id: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe' }
  { on: 'storage', role: 'Storage Queue Data Contributor', id: '974c5e8b-45b9-4653-ba55-5f855dd0fb88' }
  { on: 'storage', role: 'Storage Table Data Contributor', id: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3' }
  { on: 'vault', role: 'Key Vault Secrets Officer', id: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7' }
]

var appRows = map(appRoles, row => { ...row, who: appPrincipalId, kind: 'ServicePrincipal' })
var operatorRows = map(operatorRoles, row => { ...row, who: operatorGroupId, kind: 'Group' })
var allRows = empty(operatorGroupId) ? appRows : concat(appRows, operatorRows)
var rows = filter(allRows, row => row.on != 'registry' || !empty(registryName))

resource storage 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource onStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(rows, each => each.on == 'storage'): {
    scope: storage
    name: guid(storage.id, row.who, row.id)
    properties: {
      description: row.role
      principalId: row.who
      principalType: row.kind
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(rows, each => each.on == 'vault'): {
    scope: vault
    name: guid(vault.id, row.who, row.id)
    properties: {
      description: row.role
      principalId: row.who
      principalType: row.kind
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(rows, each => each.on == 'insights'): {
    scope: insights
    name: guid(insights.id, row.who, row.id)
    properties: {
      description: row.role
      principalId: row.who
      principalType: row.kind
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: empty(registryName) ? 'unused' : registryName
}

resource onRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for row in filter(rows, each => each.on == 'registry'): {
    scope: registry
    name: guid(registry.id, row.who, row.id)
    properties: {
      description: row.role
      principalId: row.who
      principalType: row.kind
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', row.id)
    }
  }
]
