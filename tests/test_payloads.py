"""Every body that is sent to Viva Learning is one that Graph takes, whatever an LMS has written.

The simulator judges each by a table of Graph's types that the connector does not share, and keeps what it refused.
What random worlds send is judged in `test_semantics`, what a tenant of many servers sends in `test_end_to_end`.
"""

from collections import Counter
from pathlib import Path

from infra.local.graph import GraphSimulator
from infra.local.graph.state import Payload, State
from tests.company import ADA, FULL, files, full, item, make_directory, plan
from tests.desk import Desk

ODD = 'Ünïcödé "quotes" <b>&amp;</b> \t\\ 😀 ' + "long " * 400


def sent(graph_folder: Path) -> list[Payload]:
    """All bodies that Graph has ever been sent."""
    state = State(graph_folder)
    try:
        return list(state.payloads())
    finally:
        state.close()


def test_graph_takes_texts_and_numbers_at_their_limits(tmp_path: Path) -> None:
    """Free text is free: long, foreign, empty, or something that looks like markup or a path."""
    items = [
        item(1, CPNT_TITLE=ODD, CPNT_DESC=ODD * 3, CPNT_LEN="0"),
        item(2, CPNT_ID="a/b'c?d#e%f+g h", CPNT_TITLE="", CPNT_LEN=""),
        item(3, CPNT_TYP_ID="Ünï'", CPNT_LEN="100000.5", THUMBNAIL_URI="no url at all"),
        item(4, CPNT_LEN="0.4", THUMBNAIL_URI="https://lms.example.com/ä b.png", CREATE_DTE="1970-01-01"),
        item(5, CPNT_DESC="\r\n", CREATE_DTE="9999-12-31 23:59:59", LST_UPD_TSTMP="0001-01-01"),
    ]
    plans = [
        plan(ADA, 1, REQ_DTE="9999-12-31", ASSGN_DTE="1900-01-01"),
        plan(ADA, 2, CPNT_ID="a/b'c?d#e%f+g h", ASSGN_DTE=""),
        plan(ADA, 3, CPNT_TYP_ID="Ünï'", REQ_DTE="1793491199000"),
    ]
    with GraphSimulator(tmp_path / "graph") as graph:
        make_directory(graph, tmp_path)
        desk = Desk(graph)
        desk.drop(FULL, full(PA_CPNT=items, PA_STUD_CPNT=plans))
        first = desk.sync()
        desk.drop(
            FULL.replace("_F_20261101", "_D_20261102"),
            files({"PA_STUD_CPNT": [plan(ADA, 1, REQ_DTE="2026-12-31", ASSGN_DTE="1900-01-01")]}),
        )
        desk.now = desk.now.replace(day=2)
        second = desk.sync()
        desk.close()
    payloads = sent(tmp_path / "graph")

    assert [sync.outcome for sync in (first, second)] == ["done", "done"]
    assert [each for each in payloads if not each.accepted] == []
    assert Counter(each.purpose for each in payloads)["update"] == 1
    assert {each.type for each in payloads} == {"learningContent", "learningAssignment", "learningSelfInitiatedCourse"}
