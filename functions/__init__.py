"""One file a trigger. What stands here runs before any of them is loaded, and makes each start cheaper."""

import gc
import os
import sys

# What is loaded stays, and looking for garbage in it takes a tenth of the time; `function_app.py` switches it on again.
gc.disable()
# pydantic would look for plugins of its own in the metadata of every package that is installed. There are none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
# paramiko would load it, and `unittest` with it, for `Match exec` in OpenSSH's configuration files, which nobody reads
# here. It does without, and says so if it is ever asked to.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]  # `None` is how Python says: not to be had
