"""When the connector looks after itself: every few minutes."""

import azure.functions as func

from shared import wiring

triggers = func.Blueprint()


@triggers.timer_trigger(arg_name="timer", schedule="%SWEEP_SCHEDULE%")
def sweep(timer: func.TimerRequest) -> None:
    """Wake runs that stand still."""
    from shared.pipeline import sweep as use_case  # noqa: PLC0415 - paid by those who run

    use_case.sweep(wiring.parts())
