metadata description = 'The app settings. No value is a secret; secrets are named here, and are in the vault.'

@export()
@description('What the settings of a deployment depend on.')
type settingsInput = {
  storageName: string
  identityClientId: string
  vaultUri: string
  insightsConnection: string
  collectSchedule: string
  sweepSchedule: string
  memoryLimitMb: int
}

@export()
@description('An app setting.')
type setting = {
  name: string
  value: string
}

// The test `tests/infra` reads this table, one setting a line, and compares it with what the code reads.
@export()
@description('All app settings that every plan has. Knobs stand at the code\'s own defaults unless something is said.')
func settingsOf(given settingsInput) setting[] => [
  { name: 'AzureWebJobsStorage__accountName', value: given.storageName }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: given.identityClientId }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: given.insightsConnection }
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'Authorization=AAD;ClientId=${given.identityClientId}' }
  { name: 'COLLECT_SCHEDULE', value: given.collectSchedule }
  { name: 'SWEEP_SCHEDULE', value: given.sweepSchedule }
  { name: 'LMS_VAULT_URL', value: given.vaultUri }
  { name: 'LMS_IDENTITY_CLIENT_ID', value: given.identityClientId }
  { name: 'LMS_MEMORY_LIMIT_MB', value: string(given.memoryLimitMb) }
  { name: 'LMS_PEPPER_SECRET', value: 'pepper' }
  { name: 'LMS_SECRET_CACHE_SECONDS', value: '300' }
  { name: 'LMS_GRAPH_URL', value: 'https://graph.microsoft.com' }
  { name: 'LMS_GRAPH_SCOPE', value: 'https://graph.microsoft.com/.default' }
  { name: 'LMS_GRAPH_TIMEOUT_SECONDS', value: '60' }
  { name: 'LMS_SFTP_TIMEOUT_SECONDS', value: '30' }
  { name: 'LMS_STUCK_AFTER_SECONDS', value: '900' }
  { name: 'LMS_OPENPGP', value: 'auto' }
]
