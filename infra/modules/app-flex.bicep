metadata description = 'The app on the Flex Consumption plan: nothing is paid for while nothing happens.'
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

@description('Required. Container, as a URL, that holds the published code.')
param releasesUrl string

@description('Required. App settings.')
param settings setting[]

@description('Required. Memory of an instance in MB.')
param instanceMemoryMb int

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

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: {
    reserved: true
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
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: releasesUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: instanceMemoryMb
      }
      runtime: { name: 'python', version: '3.13' }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      appSettings: settings
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
