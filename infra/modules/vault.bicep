metadata description = 'The Key Vault. Its secrets are put in by a person: none passes through a template.'

@description('Required. Name of the vault.')
param name string

@description('Required. Where it is made.')
param location string

@description('Required. Tags of the vault.')
param tags object

@description('Required. Only private endpoints and the addresses below reach the vault.')
param isPrivate bool

@description('Required. Public addresses, as a.b.c.d, that reach a private vault all the same.')
param adminAddresses string[]

@description('Required. Workspace of the audit log.')
param workspaceId string

@description('Required. Refuse to delete the vault before the lock is taken off.')
param isLocked bool

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: isPrivate && empty(adminAddresses) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
      ipRules: [for address in adminAddresses: { value: address }]
    }
  }
}

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  scope: vault
  name: 'keep'
  properties: {
    level: 'CanNotDelete'
    notes: 'Holds the pepper: without it no learner is found any more.'
  }
}

output id string = vault.id
output uri string = vault.properties.vaultUri
