"""A small Azure Functions host, for machines without Core Tools.

It loads a Python function app through Microsoft's own worker library (`azure_functions_runtime`, the very
package that runs in Azure) and plays the host around it: timers, queues, blobs and simple HTTP, on the
storage account of `AzureWebJobsStorage`. What an app can observe of the real host is copied: parallel
messages, visibility, retries, poison queues, blob receipts, past-due timers, disabled functions, settings of
`host.json`.

Not copied, because one local process does not need it: leases between instances, `functionTimeout`, retry
policies, several keys, Event Grid (blob triggers that ask for it are driven by the same
scan as all others).

    python -m infra.local.host [--app DIR] [--port PORT] [--grace SECONDS] [--quiet]

| module | plays |
| --- | --- |
| `settings` | `host.json`, `local.settings.json` and the environment |
| `protos` | the messages between host and worker |
| `worker` | the language worker: load the app, run one function |
| `invocations` | one run of a function: log lines, output bindings |
| `storage` | the storage account |
| `queues`, `blobs`, `timers`, `web` | the listeners, one kind of trigger each |
| `waiting` | waiting that ends early |
| `service` | the host: starts the listeners, stops them cleanly |
"""
