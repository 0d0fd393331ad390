metadata description = 'Who is told of what. Log lines are those of the code; the test `tests/infra` looks for them there.'

@description('Required. Prefix of the names.')
param prefix string

@description('Required. Name of the action group.')
param operatorsName string

@description('Required. Where the rules are made.')
param location string

@description('Required. Tags of the resources.')
param tags object

@description('Required. Who gets a mail.')
param emails string[]

@description('Required. Workspace with the logs.')
param workspaceId string

@description('Required. Name of the function app: the only one whose lines count.')
param appName string

@description('Required. Within how long collect_packages must have run at least once.')
@allowed(['PT1H', 'PT2H', 'PT3H', 'PT4H', 'PT5H', 'PT6H', 'P1D', 'P2D'])
param collectWindow string

var rules = [
  {
    name: 'run-failed'
    severity: 1
    title: 'A run has failed'
    text: 'A run ended as failed. It is tried again with the next look; the code says what to mend (docs/errors.md).'
    query: 'AppTraces | where Message startswith "run.ended" and Message has "outcome=failed"'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT15M'
  }
  {
    name: 'package-refused'
    severity: 2
    title: 'A package was refused, or a run has halted'
    text: 'A package was rejected, or a run waits at a gate for somebody to look at it and approve it.'
    query: 'AppTraces | where (Message startswith "run.ended" and Message has "outcome=rejected") or Message startswith "run.halted"'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT15M'
  }
  {
    name: 'look-failed'
    severity: 2
    title: 'The provider\'s folder cannot be read'
    text: 'Three looks or more in six hours did not reach the SFTP folder, or could not take what is in it.'
    query: 'AppTraces | where Message startswith "collect.failed"'
    operator: 'GreaterThan'
    threshold: 2
    every: 'PT1H'
    window: 'PT6H'
  }
  {
    name: 'poison'
    severity: 1
    title: 'A message has failed five times'
    text: 'The functions host has put a message into a poison queue. The sweeper wakes its run; find out why it failed.'
    query: 'AppTraces | where Message has "MaxDequeueCount" and Message has "poison"'
    operator: 'GreaterThan'
    threshold: 0
    every: 'PT15M'
    window: 'PT15M'
  }
  {
    name: 'function-failed'
    severity: 2
    title: 'Functions fail'
    text: 'More than ten functions ended with an exception within an hour. Each is tried again by the platform.'
    query: 'AppRequests | where Success == false'
    operator: 'GreaterThan'
    threshold: 10
    every: 'PT15M'
    window: 'PT1H'
  }
  {
    name: 'collect-missed'
    severity: 1
    title: 'The schedule was missed: collect_packages'
    text: 'No look into the provider\'s folder has taken place for too long: the app does not run.'
    query: 'AppRequests | where Name == "collect_packages"'
    operator: 'LessThan'
    threshold: 1
    every: 'PT1H'
    window: collectWindow
  }
  {
    name: 'sweep-missed'
    severity: 1
    title: 'The schedule was missed: sweep'
    text: 'The sweeper has not run for an hour: the app does not run, and runs that stand still are not woken.'
    query: 'AppRequests | where Name == "sweep"'
    operator: 'LessThan'
    threshold: 1
    every: 'PT30M'
    window: 'PT1H'
  }
]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: operatorsName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'lms'
    emailReceivers: [
      for (email, index) in emails: { name: 'mail-${index}', emailAddress: email, useCommonAlertSchema: true }
    ]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for rule in rules: {
    name: 'alert-${prefix}-${rule.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'LMS connector: ${rule.title}'
      description: rule.text
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      windowSize: rule.window
      autoMitigate: true
      // Tables that no app has written to yet do not exist.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: '${rule.query} | where AppRoleName =~ "${appName}"'
            timeAggregation: 'Count'
            operator: rule.operator
            threshold: rule.threshold
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [operators.id] }
    }
  }
]

output operatorsId string = operators.id
