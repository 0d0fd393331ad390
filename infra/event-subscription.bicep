metadata description = 'Starts a function when a package or a file has come. To be deployed once the code has been published.'
import { namesOf } from 'modules/names.bicep'

@description('Required. The prefix that main.bicep was given.')
@minLength(2)
@maxLength(12)
param prefix string

@description('Required. The key `blobs_extension` of the functions host, which makes it when it first runs the code.')
@secure()
param webhookKey string

var names = namesOf(prefix, uniqueString(resourceGroup().id, prefix))
var triggers = loadJsonContent('names.json').triggers

resource app 'Microsoft.Web/sites@2024-11-01' existing = {
  name: names.app
}

resource packages 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: names.packageEvents
}

resource subscriptions 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = [
  for trigger in triggers: {
    parent: packages
    name: trigger.function
    properties: {
      destination: {
        endpointType: 'WebHook'
        properties: {
          endpointUrl: 'https://${app.properties.defaultHostName}/runtime/webhooks/blobs?functionName=Host.Functions.${trigger.function}&code=${webhookKey}'
          maxEventsPerBatch: 1
          minimumTlsVersionAllowed: '1.2'
        }
      }
      eventDeliverySchema: 'EventGridSchema'
      filter: {
        includedEventTypes: ['Microsoft.Storage.BlobCreated']
        subjectBeginsWith: '/blobServices/default/containers/${trigger.container}/'
        // Whole uploads only: not the empty file that some clients create first.
        advancedFilters: [
          { operatorType: 'StringIn', key: 'data.api', values: ['PutBlockList', 'PutBlob', 'FlushWithClose'] }
        ]
      }
      retryPolicy: { maxDeliveryAttempts: 30, eventTimeToLiveInMinutes: 1440 }
    }
  }
]
