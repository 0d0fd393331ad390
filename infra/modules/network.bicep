metadata description = 'A virtual network: storage and vault by private addresses, everything else through one fixed public address.'

@description('Required. Prefix of the names.')
param prefix string

@description('Required. Where it is made.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. Addresses of the network, /23 or larger.')
param addressPrefix string

@description('Required. Service that the functions subnet is handed to.')
@allowed(['Microsoft.App/environments', 'Microsoft.Web/serverFarms'])
param delegation string

@description('Required. Resource id of the storage account.')
param storageId string

@description('Required. Resource id of the vault.')
param vaultId string

var storageSuffix = environment().suffixes.storage
var targets = [
  { service: 'blob', id: storageId, zone: 'privatelink.blob.${storageSuffix}' }
  { service: 'queue', id: storageId, zone: 'privatelink.queue.${storageSuffix}' }
  { service: 'table', id: storageId, zone: 'privatelink.table.${storageSuffix}' }
  { service: 'vault', id: vaultId, zone: 'privatelink.vaultcore.azure.net' }
]

// What the SFTP server's owner puts on the allow list.
resource address 'Microsoft.Network/publicIPAddresses@2024-07-01' = {
  name: 'pip-${prefix}'
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Regional' }
  properties: {
    publicIPAllocationMethod: 'Static'
    publicIPAddressVersion: 'IPv4'
  }
}

resource gateway 'Microsoft.Network/natGateways@2024-07-01' = {
  name: 'ng-${prefix}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: {
    idleTimeoutInMinutes: 10
    publicIpAddresses: [{ id: address.id }]
  }
}

resource rules 'Microsoft.Network/networkSecurityGroups@2024-07-01' = {
  name: 'nsg-${prefix}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'nothing-from-the-internet'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: 'Internet'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2024-07-01' = {
  name: 'vnet-${prefix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 0)
          natGateway: { id: gateway.id }
          networkSecurityGroup: { id: rules.id }
          delegations: [{ name: 'functions', properties: { serviceName: delegation } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 24, 1)
          networkSecurityGroup: { id: rules.id }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for target in targets: {
    name: target.zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (target, index) in targets: {
    parent: zones[index]
    name: 'vnet-${prefix}'
    location: 'global'
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

resource endpoints 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for target in targets: {
    name: 'pep-${prefix}-${target.service}'
    location: location
    tags: tags
    properties: {
      subnet: { id: '${network.id}/subnets/endpoints' }
      privateLinkServiceConnections: [
        {
          name: target.service
          properties: { privateLinkServiceId: target.id, groupIds: [target.service] }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (target, index) in targets: {
    parent: endpoints[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: target.service, properties: { privateDnsZoneId: zones[index].id } }]
    }
  }
]

output functionsSubnetId string = '${network.id}/subnets/functions'
output outgoingAddress string = address.properties.ipAddress
