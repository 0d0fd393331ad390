using 'main.bicep'

// For people's real data: storage and vault by private addresses only, a fixed address for the SFTP server's allow
// list, every access logged, three copies of each byte in three zones.
param prefix = readEnvironmentVariable('LMS_PREFIX', 'lms')
param alertEmails = [readEnvironmentVariable('LMS_ALERT_EMAIL')]
param plan = readEnvironmentVariable('LMS_PLAN', 'flex')
param registry = readEnvironmentVariable('LMS_REGISTRY', '')
param image = readEnvironmentVariable('LMS_IMAGE', '')
param operatorGroupId = readEnvironmentVariable('LMS_OPERATOR_GROUP', '')
param usesNetwork = true
param adminAddresses = empty(readEnvironmentVariable('LMS_ADMIN_ADDRESS', '')) ? [] : [readEnvironmentVariable('LMS_ADMIN_ADDRESS', '')]
param storageSku = 'Standard_ZRS'
param logRetentionDays = 180
param monthlyBudget = 250
param budgetStart = '2026-12-01'
param tags = { app: 'lms-connector', stage: 'prod' }
