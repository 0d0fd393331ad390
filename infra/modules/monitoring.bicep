metadata description = 'Where logs go. Both take identities only; what is sampled is said in host.json.'

@description('Required. Name of the workspace.')
param workspaceName string

@description('Required. Name of Application Insights.')
param insightsName string

@description('Required. Where they are made.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. Days that logs are kept.')
param retentionDays int

@description('Required. Gigabytes a day after which nothing more is taken in; -1 for no limit.')
param dailyLimitGb int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    workspaceCapping: { dailyQuotaGb: dailyLimitGb }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

output workspaceId string = workspace.id
// An address, no secret: without a token of an identity that has the role, nothing is taken.
output insightsConnection string = insights.properties.ConnectionString
