metadata description = 'The storage account with every container, queue and table that the app names, and nothing that opens it but identities.'

@description('Required. Name of the account.')
param name string

@description('Required. Where it is made.')
param location string

@description('Required. Tags of the account.')
param tags object

@description('Required. How often Azure keeps each byte.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param skuName string

@description('Required. Days after which lifecycle rules delete what the app should have deleted long before.')
param sweptAfterDays int

@description('Required. Only private endpoints and the addresses below reach the account.')
param isPrivate bool

@description('Required. Public addresses, as a.b.c.d, that reach a private account all the same.')
param adminAddresses string[]

@description('Required. Workspace of the access log.')
param workspaceId string

@description('Required. Write a line for every access to blobs and tables, and for every change of a queue.')
param logsAccess bool

// The test `tests/infra` compares this file with what the code names.
var names = loadJsonContent('../names.json')
var swept = filter(names.containers, each => contains(each, 'swept'))
var services = { blob: { enabled: true }, queue: { enabled: true, keyType: 'Account' }, table: { enabled: true, keyType: 'Account' } }

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: skuName }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    allowCrossTenantReplication: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    isSftpEnabled: false
    publicNetworkAccess: isPrivate && empty(adminAddresses) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: [for address in adminAddresses: { value: address, action: 'Allow' }]
    }
    encryption: {
      keySource: 'Microsoft.Storage'
      requireInfrastructureEncryption: true
      services: services
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // Off on purpose: the app promises when people's data are gone, and a deleted blob that rests on would break it.
    // It cannot be on for some containers only. What is lost by accident is fetched and processed again.
    deleteRetentionPolicy: { enabled: false }
    isVersioningEnabled: false
    // A whole container is deleted by mistake only: the app never does.
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for each in names.containers: {
    parent: blobs
    name: each.name
    properties: { publicAccess: 'None' }
  }
]

// Holds the app's own code; of no concern to the code itself.
resource releases 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = {
  parent: blobs
  name: names.releases
  properties: { publicAccess: 'None' }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

// The functions host makes the `-poison` queues that nothing is triggered by when it needs them.
resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for each in names.queues: {
    parent: queueService
    name: each
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for each in names.tables: {
    parent: tableService
    name: each
  }
]

// A safety net, no more: the app itself deletes what is past its time, once a day, and sooner than this. It knows what
// is still needed, which a rule cannot. Containers that are the connector's memory are not in it.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        for each in swept: {
          name: 'sweep-${each.name}'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${each.name}/'] }
            actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: sweptAfterDays } } }
          }
        }
      ]
    }
  }
  dependsOn: [containers]
}

resource blobLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logsAccess) {
  scope: blobs
  name: 'access'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

resource tableLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logsAccess) {
  scope: tableService
  name: 'access'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

// Not the reads: the host looks into its queues every few seconds.
resource queueLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (logsAccess) {
  scope: queueService
  name: 'access'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

output id string = account.id
output blobEndpoint string = account.properties.primaryEndpoints.blob
