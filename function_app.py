"""Which triggers exist. Each is one file in `functions/`."""

import gc

import azure.functions as func

from functions.accept_completions import triggers as accept_completions
from functions.accept_content import triggers as accept_content
from functions.accept_records import triggers as accept_records
from functions.collect_packages import triggers as collect_packages
from functions.keep_poison_commands import triggers as keep_poison_commands
from functions.keep_poison_map_learners import triggers as keep_poison_map_learners
from functions.keep_poison_packages import triggers as keep_poison_packages
from functions.keep_poison_push_completions import triggers as keep_poison_push_completions
from functions.keep_poison_push_records import triggers as keep_poison_push_records
from functions.map_learners import triggers as map_learners
from functions.process_package import triggers as process_package
from functions.push_completions import triggers as push_completions
from functions.push_records import triggers as push_records
from functions.read_inbox import triggers as read_inbox
from functions.retry_poison_records import triggers as retry_poison_records
from functions.run_commands import triggers as run_commands
from functions.show_batch import triggers as show_batch
from functions.sweep import triggers as sweep

app = func.FunctionApp()
for each in (
    collect_packages,
    process_package,
    map_learners,
    push_records,
    accept_completions,
    accept_content,
    accept_records,
    read_inbox,
    push_completions,
    show_batch,
    run_commands,
    sweep,
    keep_poison_commands,
    keep_poison_map_learners,
    keep_poison_push_completions,
    keep_poison_push_records,
    keep_poison_packages,
    retry_poison_records,
):
    app.register_functions(each)

# Switched off by `functions/__init__.py`. Modules are never garbage, and need not be looked through again.
gc.freeze()
gc.enable()
