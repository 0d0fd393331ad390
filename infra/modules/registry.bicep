metadata description = 'A registry for the app\'s image. Nobody has a password for it.'

@description('Required. Name of the registry.')
param name string

@description('Required. Where it is made.')
param location string

@description('Required. Tags of the resource.')
param tags object

@description('Required. Workspace of the log of who pulled and pushed.')
param workspaceId string

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' = {
  name: name
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: {
    adminUserEnabled: false
    // Its private endpoints cost ten times as much; an image holds no secret, and to pull it takes a token.
    publicNetworkAccess: 'Enabled'
  }
}

resource accessLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: registry
  name: 'access'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'ContainerRegistryLoginEvents', enabled: true }
      { category: 'ContainerRegistryRepositoryEvents', enabled: true }
    ]
  }
}

output loginServer string = registry.properties.loginServer
