"""The tables of a package and their primary keys.

The columns are those of the views in `world.sql`, `activities.sql` and `leavers.sql`.
"""

from typing import Final

PRIMARY_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "PV_PARTNER_STUDENT": ("STUD_ID",),
    "PA_CPNT": ("CPNT_TYP_ID", "CPNT_ID", "REV_DTE"),
    "PV_I18N_ACTIVE_LOCALE_LABEL": ("LABEL_ID", "LOCALE_ID"),
    "PA_CPNT_SRC": ("CPNT_SRC_ID",),
    "PA_CPNT_TYPE": ("CPNT_TYP_ID",),
    "PA_STUD_CPNT": ("STUD_ID", "CPNT_TYP_ID", "CPNT_ID", "REV_DTE", "SEQ_NUM"),
    "PA_RQMT_TYPE": ("RTYP_ID",),
    "PA_CPNT_EVTHST": (
        "STUD_ID",
        "CPNT_TYP_ID",
        "CPNT_ID",
        "REV_DTE",
        "COMPL_DTE",
        "CMPL_STAT_ID",
        "SCHD_ID",
    ),
    "PA_CMPL_STAT": ("CMPL_STAT_ID", "CPNT_TYP_ID"),
    "PA_CATALOG": ("CATALOG_ID",),
    "PA_CATALOG_ITEM": ("CATALOG_ID", "CPNT_TYP_ID", "CPNT_ID", "REV_DTE"),
    "PA_PROGRAM": ("PROGRAM_SYS_GUID",),
    "PA_STUD_PROGRAM": ("STUD_PROGRAM_SYS_GUID",),
    "PA_STUD_ASSGN_PRFL": ("STUD_ID", "AP_ID"),
}
"""In the order in which the files stand in a package. The last three are not read yet."""
MORE_WITH_LEAVERS: Final[dict[str, tuple[str, ...]]] = {"PA_ENROLL_SEAT": ("ENRL_SEAT_ID",)}
"""Files that come only when learners are deactivated. Not read yet."""
