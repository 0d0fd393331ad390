"""Gates: what keeps a run from being published until somebody has looked at it."""

from shared.domain.connection import Connection
from shared.domain.errors import Code, ConnectorError
from shared.domain.runs import Changes, Coverage


def find_gate(
    connection: Connection, coverage: Coverage, changes: Changes, *, assignments: int, active_contents: int
) -> ConnectorError | None:
    """Say what the run has to stop for, if anything; equal to a limit passes.

    `assignments` and `active_contents` count what is published now.
    """
    if coverage.percent < connection.coverage_minimum_percent:
        return ConnectorError(
            f"{coverage.mapped} of {coverage.learners} learners ({coverage.percent:.1f} %) were found in Entra, less "
            f"than the {connection.coverage_minimum_percent:g} % of coverage_minimum_percent: {coverage.unmatched} "
            f"unmatched ({coverage.near_miss} near misses), {coverage.ambiguous} ambiguous, {coverage.disabled} "
            f"disabled.{_hint(coverage)} Correct {connection.directory_attribute} in Entra, or approve the run.",
            Code.COVERAGE_BELOW_MINIMUM,
        )
    for count, published, what in (
        (changes.assignments.withdraw, assignments, "published assignments would be withdrawn"),
        (changes.contents.deactivate, active_contents, "published contents would be deactivated"),
    ):
        percent, limit = connection.mass_change_percent, connection.mass_change_count
        if (published and count * 100 > percent * published) or (limit is not None and count > limit):
            return ConnectorError(
                f"{count} of {published} {what}, more than mass_change_percent or mass_change_count allows. Look "
                "whether the package is complete; then approve the run, or have a new full package made.",
                Code.MASS_CHANGE,
            )
    return None


def _hint(coverage: Coverage) -> str:
    """Name the rules that would match most of the near misses."""
    if not coverage.near_by_rules:
        return ""
    rules, count = max(coverage.near_by_rules.items(), key=lambda each: each[1])
    return f" {count} near misses would match with {rules} (person_id_rules)."
