metadata description = 'The LMS connector in one resource group of your own.'
import { namesOf } from 'modules/names.bicep'
import { settingsOf } from 'modules/settings.bicep'

targetScope = 'resourceGroup'

@description('Required. What every name begins with: lower-case letters, digits and hyphens.')
@minLength(2)
@maxLength(12)
param prefix string

@description('Required. Who is told when something is wrong.')
@minLength(1)
param alertEmails string[]

@description('Optional. Where everything is made.')
param location string = resourceGroup().location

@description('Optional. Tags of every resource.')
param tags object = {}

@description('Optional. What the app runs on: `flex` costs nothing while nothing happens, `container` runs an image of your own on Container Apps, `premium` is always warm, `none` leaves the app to a Kubernetes of yours.')
@allowed(['flex', 'container', 'premium', 'none'])
param plan string = 'flex'

@description('Optional. On `container` and `none`: host name of a registry that exists, from which the app\'s identity may pull; empty to make one here.')
param registry string = ''

@description('Optional. On `container`: name and tag of the image in that registry; empty as long as there is none, for a host without functions.')
param image string = ''

@description('Optional. Memory of an instance in MB, except on `premium`. 512 is enough for a single connection.')
@allowed([512, 2048, 4096])
param instanceMemoryMb int = 2048

@description('Optional. Most instances at a time.')
@minValue(1)
@maxValue(100)
param maximumInstances int = 40

@description('Optional. When folders are looked into: NCRONTAB with seconds, UTC.')
param collectSchedule string = '0 5 * * * *'

@description('Optional. Alert when no look took place for so long; longer than the schedule\'s longest pause.')
@allowed(['PT1H', 'PT2H', 'PT3H', 'PT4H', 'PT5H', 'PT6H', 'P1D', 'P2D'])
param collectWindow string = 'PT3H'

@description('Optional. When runs that stand still are looked for.')
param sweepSchedule string = '0 */5 * * * *'

@description('Optional. Object id of the Entra group that operates the connector: it may keep secrets and use `lms`.')
param operatorGroupId string = ''

@description('Optional. On `flex` and `premium`: client id of the app registration that stands for the interface over which records are sent in; empty: there is none.')
param apiClientId string = ''

@description('Optional. Client ids of the applications that may send records in over HTTP.')
param apiCallers string[] = []

@description('Optional. A virtual network with private endpoints, and one fixed address towards the SFTP server.')
param usesNetwork bool = false

@description('Optional. Addresses of the virtual network, /23 or larger.')
param networkAddresses string = '10.20.0.0/23'

@description('Optional. Public addresses, as a.b.c.d, from which operators work when there is a virtual network.')
param adminAddresses string[] = []

@description('Optional. How often Azure keeps each byte of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Optional. Spread the app over availability zones, where the region has them.')
param isZoneRedundant bool = false

@description('Optional. Days after which lifecycle rules delete what the app should have deleted long before. Longer than every `*_retention_days` of your connections, and than the longest pause between two packages.')
@minValue(100)
param sweptAfterDays int = 400

@description('Optional. Write a log line for every access to the data in storage.')
param logsAccess bool = true

@description('Optional. Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 90

@description('Optional. Gigabytes of logs a day after which nothing more is taken in; -1 for no limit.')
param logDailyLimitGb int = -1

@description('Optional. Refuse to delete the vault before the lock is taken off.')
param locksVault bool = true

@description('Optional. Cost a month, in the subscription\'s currency, that is told when it is nearly reached; 0 for none.')
param monthlyBudget int = 0

@description('Optional. First day of the budget\'s first month. Give the same one with every deployment.')
param budgetStart string = utcNow('yyyy-MM-01')

var names = namesOf(prefix, uniqueString(resourceGroup().id, prefix))
var delegations = {
  flex: 'Microsoft.App/environments'
  container: 'Microsoft.App/environments'
  premium: 'Microsoft.Web/serverFarms'
  none: 'Microsoft.App/environments'
}
var subnetId = usesNetwork ? network!.outputs.functionsSubnetId : ''
// Of the columnar engine; two packages may be read at a time, and the worker needs about 200 more.
var memoryLimitsMb = { '512': 128, '2048': 512, '4096': 1024 }
var memoryLimitMb = plan == 'premium' ? 512 : memoryLimitsMb[string(instanceMemoryMb)]
var ownsRegistry = contains(['container', 'none'], plan) && empty(registry)
var releases = loadJsonContent('names.json').releases
// Without an app registration nobody could be told from anybody: then the interface is off.
var api = loadJsonContent('names.json').api
var hasApi = !empty(apiClientId) && contains(['flex', 'premium'], plan)
var apiOff = map(hasApi ? [] : api, name => { name: 'AzureWebJobs_${name}_Disabled', value: 'true' })

module identity 'modules/identity.bicep' = {
  params: { name: names.identity, location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    workspaceName: names.workspace
    insightsName: names.insights
    location: location
    tags: tags
    retentionDays: logRetentionDays
    dailyLimitGb: logDailyLimitGb
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: names.storage
    location: location
    tags: tags
    skuName: storageSku
    sweptAfterDays: sweptAfterDays
    isPrivate: usesNetwork
    adminAddresses: adminAddresses
    workspaceId: monitoring.outputs.workspaceId
    logsAccess: logsAccess
  }
}

module vault 'modules/vault.bicep' = {
  params: {
    name: names.vault
    location: location
    tags: tags
    isPrivate: usesNetwork
    adminAddresses: adminAddresses
    workspaceId: monitoring.outputs.workspaceId
    isLocked: locksVault
  }
}

module images 'modules/registry.bicep' = if (ownsRegistry) {
  params: {
    name: names.registry
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'modules/roles.bicep' = {
  params: {
    appPrincipalId: identity.outputs.principalId
    operatorGroupId: operatorGroupId
    storageName: names.storage
    vaultName: names.vault
    insightsName: names.insights
    registryName: ownsRegistry ? names.registry : ''
  }
  dependsOn: [storage, vault, monitoring, images]
}

module network 'modules/network.bicep' = if (usesNetwork) {
  params: {
    prefix: prefix
    location: location
    tags: tags
    addressPrefix: networkAddresses
    delegation: delegations[plan]
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

var settings = concat(apiOff, settingsOf({
  storageName: names.storage
  identityClientId: identity.outputs.clientId
  vaultUri: vault.outputs.uri
  insightsConnection: monitoring.outputs.insightsConnection
  collectSchedule: collectSchedule
  sweepSchedule: sweepSchedule
  memoryLimitMb: memoryLimitMb
}))

module flex 'modules/app-flex.bicep' = if (plan == 'flex') {
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: tags
    identityId: identity.outputs.id
    releasesUrl: '${storage.outputs.blobEndpoint}${releases}'
    settings: settings
    instanceMemoryMb: instanceMemoryMb
    maximumInstances: maximumInstances
    isZoneRedundant: isZoneRedundant
    subnetId: subnetId
    isPrivate: usesNetwork
    adminAddresses: adminAddresses
  }
  dependsOn: [roles]
}

module container 'modules/app-container.bicep' = if (plan == 'container') {
  params: {
    name: names.app
    environmentName: names.environment
    location: location
    tags: tags
    identityId: identity.outputs.id
    registry: ownsRegistry ? images!.outputs.loginServer : registry
    image: image
    settings: settings
    instanceMemoryMb: instanceMemoryMb
    maximumInstances: maximumInstances
    isZoneRedundant: isZoneRedundant
    subnetId: subnetId
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [roles]
}

module premium 'modules/app-premium.bicep' = if (plan == 'premium') {
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: tags
    identityId: identity.outputs.id
    releasesUrl: '${storage.outputs.blobEndpoint}${releases}'
    settings: settings
    maximumInstances: maximumInstances
    isZoneRedundant: isZoneRedundant
    subnetId: subnetId
    isPrivate: usesNetwork
    adminAddresses: adminAddresses
  }
  dependsOn: [roles]
}

module signIn 'modules/sign-in.bicep' = if (hasApi) {
  params: {
    appName: names.app
    clientId: apiClientId
    callers: apiCallers
  }
  dependsOn: [flex, premium]
}

module alerts 'modules/alerts.bicep' = {
  params: {
    prefix: prefix
    operatorsName: names.operators
    location: location
    tags: tags
    emails: alertEmails
    workspaceId: monitoring.outputs.workspaceId
    appName: names.app
    collectWindow: collectWindow
  }
}

module events 'modules/events.bicep' = {
  params: {
    location: location
    tags: tags
    packageTopicName: names.packageEvents
    vaultTopicName: names.vaultEvents
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    operatorsId: alerts.outputs.operatorsId
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  params: {
    name: 'budget-${prefix}'
    amount: monthlyBudget
    start: budgetStart
    emails: alertEmails
  }
}

output appName string = names.app
output storageName string = names.storage
output vaultName string = names.vault
output vaultUri string = vault.outputs.uri
output identityPrincipalId string = identity.outputs.principalId
output identityClientId string = identity.outputs.clientId
output insightsConnection string = monitoring.outputs.insightsConnection
output outgoingAddress string = usesNetwork ? network!.outputs.outgoingAddress : ''
output registryName string = ownsRegistry ? names.registry : ''
