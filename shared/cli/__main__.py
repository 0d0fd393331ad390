"""`python -m shared.cli` is `lms`."""

from shared.cli.app import main

main()
