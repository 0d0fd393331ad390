metadata description = 'What every resource is called: one prefix, and a hash where a name must be unique in the world.'

@export()
@description('Names of all resources.')
type resourceNames = {
  identity: string
  storage: string
  vault: string
  workspace: string
  insights: string
  plan: string
  app: string
  environment: string
  registry: string
  operators: string
  packageEvents: string
  vaultEvents: string
}

@export()
@description('Derives all names. The hash should come from the resource group, so that a second deployment gets the same.')
func namesOf(prefix string, hash string) resourceNames => {
  identity: 'id-${prefix}'
  storage: 'st${replace(prefix, '-', '')}${take(hash, 8)}'
  vault: 'kv-${prefix}-${take(hash, 8)}'
  workspace: 'log-${prefix}'
  insights: 'appi-${prefix}'
  plan: 'plan-${prefix}'
  app: 'func-${prefix}-${take(hash, 8)}'
  environment: 'cae-${prefix}'
  registry: 'cr${replace(prefix, '-', '')}${take(hash, 8)}'
  operators: 'ag-${prefix}'
  packageEvents: 'evgt-${prefix}-packages'
  vaultEvents: 'evgt-${prefix}-secrets'
}
