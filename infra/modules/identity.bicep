metadata description = 'The one identity that the app has. It holds no secret: Azure vouches for it.'

@description('Required. Name of the identity.')
param name string

@description('Required. Where it is made.')
param location string

@description('Required. Tags of the resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output clientId string = identity.properties.clientId
output principalId string = identity.properties.principalId
