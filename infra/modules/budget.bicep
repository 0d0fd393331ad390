metadata description = 'Tells when the resource group costs more than it should. It stops nothing.'

@description('Required. Name of the budget.')
param name string

@description('Required. Amount a month, in the subscription\'s currency.')
param amount int

@description('Required. First day of the month in which it begins, as yyyy-mm-01.')
param start string

@description('Required. Who gets a mail.')
param emails string[]

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    notifications: {
      nearlyReached: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: emails
      }
      willBeExceeded: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: emails
      }
    }
  }
}
