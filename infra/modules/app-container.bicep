metadata description = 'The app as an image of your own, with GnuPG, on Container Apps: Azure Functions runs it and scales it by its queues.'
import { setting } from 'settings.bicep'

@description('Required. Name of the function app.')
param name string

@description('Required. Name of the environment that it runs in.')
param environmentName string

@description('Required. Where they are made.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. Resource id of the app\'s identity, which pulls the image too.')
param identityId string

@description('Required. Host name of the registry.')
param registry string

@description('Required. Name and tag of the image in the registry; empty for one that has no functions.')
param image string

@description('Required. App settings.')
param settings setting[]

@description('Required. Memory of an instance in MB.')
param instanceMemoryMb int

@description('Required. Most instances at a time.')
param maximumInstances int

@description('Required. Spread the app over availability zones, which takes a network.')
param isZoneRedundant bool

@description('Required. Subnet of the environment, which then has no public address; empty for none.')
param subnetId string

@description('Required. Workspace of the log.')
param workspaceId string

// What Microsoft publishes for images to be built on: the host alone.
var withoutFunctions = 'mcr.microsoft.com/azure-functions/python:4-python3.13'
// Container Apps sells processors and memory in fixed pairs.
var sizes = {
  '512': { cpu: json('0.25'), memory: '0.5Gi' }
  '2048': { cpu: 1, memory: '2Gi' }
  '4096': { cpu: 2, memory: '4Gi' }
}
var ofThisPlan = [
  // The name by which alerts know the app's log lines.
  { name: 'WEBSITE_CLOUD_ROLENAME', value: name }
  { name: 'DOCKER_REGISTRY_SERVER_URL', value: registry }
  // Whoever is not root may not listen on 80.
  { name: 'WEBSITES_PORT', value: empty(image) ? '80' : '8080' }
]

resource environment 'Microsoft.App/managedEnvironments@2024-03-01' = {
  name: environmentName
  location: location
  tags: tags
  properties: {
    // By way of the diagnostic setting below: any other takes the workspace's key.
    appLogsConfiguration: { destination: 'azure-monitor' }
    vnetConfiguration: empty(subnetId) ? null : { infrastructureSubnetId: subnetId, internal: true }
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
    zoneRedundant: isZoneRedundant && !empty(subnetId)
  }
}

resource environmentLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'system'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'ContainerAppSystemLogs', enabled: true }]
  }
}

// No child resource for publishing passwords: an image is not published to the site.
resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'connector' })
  kind: 'functionapp,linux,container,azurecontainerapps'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    managedEnvironmentId: environment.id
    workloadProfileName: 'Consumption'
    resourceConfig: sizes[string(instanceMemoryMb)]
    httpsOnly: true
    siteConfig: {
      linuxFxVersion: 'DOCKER|${empty(image) ? withoutFunctions : '${registry}/${image}'}'
      acrUseManagedIdentityCreds: true
      acrUserManagedIdentityID: identityId
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      // One is always there: timers need it, and with an identity only queues make the platform start another.
      minimumElasticInstanceCount: 1
      functionAppScaleLimit: maximumInstances
      appSettings: concat(settings, ofThisPlan)
    }
  }
}

output hostName string = app.properties.defaultHostName
