using 'main.bicep'

// Small and cheap, to try things in: no network of its own, short logs, the vault may be deleted.
param prefix = readEnvironmentVariable('LMS_PREFIX', 'lms-dev')
param alertEmails = [readEnvironmentVariable('LMS_ALERT_EMAIL')]
param plan = readEnvironmentVariable('LMS_PLAN', 'flex')
param registry = readEnvironmentVariable('LMS_REGISTRY', '')
param image = readEnvironmentVariable('LMS_IMAGE', '')
param operatorGroupId = readEnvironmentVariable('LMS_OPERATOR_GROUP', '')
param logsAccess = false
param logRetentionDays = 30
param logDailyLimitGb = 1
param locksVault = false
param tags = { app: 'lms-connector', stage: 'dev' }
