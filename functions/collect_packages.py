"""When packages are collected: on a schedule."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.timer_trigger(arg_name="timer", schedule="%COLLECT_SCHEDULE%")
def collect_packages(timer: func.TimerRequest) -> None:
    """Bring what is new from the providers' folders into `sealed/`."""
    from shared.pipeline.collect_packages import collect_all  # noqa: PLC0415 - paid by those who run

    collect_all(wiring.parts())
