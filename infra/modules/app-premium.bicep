metadata description = 'The app on the Elastic Premium plan: one warm instance at least, which is paid for around the clock.'
import { setting } from 'settings.bicep'

@description('Required. Name of the function app.')
param name string

@description('Required. Name of its plan.')
param planName string

@description('Required. Where they are made.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. Resource id of the app\'s identity.')
param identityId string

@description('Required. Container, as a URL, that holds the published code as `app.zip`.')
param releasesUrl string

@description('Required. App settings.')
param settings setting[]

@description('Required. Most instances at a time.')
param maximumInstances int

@description('Required. Spread the plan over availability zones.')
param isZoneRedundant bool

@description('Required. Subnet for outgoing calls; empty for none.')
param subnetId string

@description('Required. Let nobody in but Event Grid and the addresses below.')
param isPrivate bool

@description('Required. Public addresses, as a.b.c.d, that reach a private app all the same.')
param adminAddresses string[]

var eventGrid = { name: 'event-grid', priority: 100, action: 'Allow', tag: 'ServiceTag', ipAddress: 'AzureEventGrid' }

// A file share for the code would need the storage account's key, so the code is run from a blob, read by the identity.
var ofThisPlan = [
  { name: 'FUNCTIONS_EXTENSION_VERSION', value: '~4' }
  { name: 'FUNCTIONS_WORKER_RUNTIME', value: 'python' }
  { name: 'WEBSITE_RUN_FROM_PACKAGE', value: '${releasesUrl}/app.zip' }
  { name: 'WEBSITE_RUN_FROM_PACKAGE_BLOB_MI_RESOURCE_ID', value: identityId }
]

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'elastic'
  sku: { tier: 'ElasticPremium', name: 'EP1', capacity: isZoneRedundant ? 3 : 1 }
  properties: {
    reserved: true
    maximumElasticWorkerCount: maximumInstances
    zoneRedundant: isZoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'connector' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    outboundVnetRouting: empty(subnetId) ? null : { allTraffic: true }
    siteConfig: {
      linuxFxVersion: 'Python|3.13'
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      minimumElasticInstanceCount: 1
      // Without it the plan cannot see queues behind private endpoints, and does not scale.
      functionsRuntimeScaleMonitoringEnabled: isPrivate
      appSettings: concat(settings, ofThisPlan)
      ipSecurityRestrictionsDefaultAction: isPrivate ? 'Deny' : 'Allow'
      ipSecurityRestrictions: isPrivate
        ? concat(
            [eventGrid],
            map(adminAddresses, (address, index) => {
              name: 'admin-${index}'
              priority: 200 + index
              action: 'Allow'
              ipAddress: '${address}/32'
            })
          )
        : []
    }
  }
}

// Publishing takes a person's or a pipeline's own sign-in, no password of the site.
resource noPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = [
  for way in ['ftp', 'scm']: {
    parent: app
    name: way
    properties: { allow: false }
  }
]

output hostName string = app.properties.defaultHostName
