"""Which triggers exist. Each is one file in `functions/`."""

import azure.functions as func

from functions.collect_packages import triggers as collect_packages
from functions.keep_poison_commands import triggers as keep_poison_commands
from functions.keep_poison_map_learners import triggers as keep_poison_map_learners
from functions.keep_poison_packages import triggers as keep_poison_packages
from functions.keep_poison_push_records import triggers as keep_poison_push_records
from functions.map_learners import triggers as map_learners
from functions.process_package import triggers as process_package
from functions.push_records import triggers as push_records
from functions.run_commands import triggers as run_commands
from functions.sweep import triggers as sweep

app = func.FunctionApp()
for each in (
    collect_packages,
    process_package,
    map_learners,
    push_records,
    run_commands,
    sweep,
    keep_poison_commands,
    keep_poison_map_learners,
    keep_poison_push_records,
    keep_poison_packages,
):
    app.register_functions(each)
