metadata description = 'Event sources: packages that have come, and secrets that are about to expire.'

@description('Required. Where they are made.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. Name of the topic of the storage account.')
param packageTopicName string

@description('Required. Name of the topic of the vault.')
param vaultTopicName string

@description('Required. Resource id of the storage account.')
param storageId string

@description('Required. Resource id of the vault.')
param vaultId string

@description('Required. Resource id of the action group that is told of secrets.')
param operatorsId string

// Its subscription is made when the code has been published: `event-subscription.bicep`.
resource packages 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: packageTopicName
  location: location
  tags: tags
  properties: {
    source: storageId
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource secrets 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: vaultTopicName
  location: location
  tags: tags
  properties: {
    source: vaultId
    topicType: 'Microsoft.KeyVault.vaults'
  }
}

// Key Vault says so 30 days before, for every version that has an expiry date.
resource expiring 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: secrets
  name: 'secret-expires'
  properties: {
    destination: {
      endpointType: 'MonitorAlert'
      properties: {
        severity: 'Sev2'
        description: 'A secret of the LMS connector expires within 30 days, or has expired. Add a new version.'
        actionGroups: [operatorsId]
      }
    }
    eventDeliverySchema: 'CloudEventSchemaV1_0'
    filter: { includedEventTypes: ['Microsoft.KeyVault.SecretNearExpiry', 'Microsoft.KeyVault.SecretExpired'] }
  }
}
