using 'event-subscription.bicep'

// From the environment: so the key is in no file, no argument and no deployment's history.
param prefix = readEnvironmentVariable('LMS_PREFIX')
param webhookKey = readEnvironmentVariable('LMS_WEBHOOK_KEY')
