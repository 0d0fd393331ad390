"""Plays SuccessFactors: invents a company's learning data and writes it as encrypted packages."""

from infra.local.generate.defects import Defect, parse_defects
from infra.local.generate.options import Kind, Options
from infra.local.generate.packages import Generated, generate
from infra.local.generate.sealing import KeyFiles, SealingError, make_keys, write_package

__all__ = [
    "Defect",
    "Generated",
    "KeyFiles",
    "Kind",
    "Options",
    "SealingError",
    "generate",
    "make_keys",
    "parse_defects",
    "write_package",
]
