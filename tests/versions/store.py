"""All that a connector and its tenant hold, as files: taken from a desk, kept in an archive, put onto another desk."""

import json
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any, get_type_hints
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from infra.local.graph import GraphSimulator
from shared.pipeline.parts import Parts
from shared.ports import Blobs, Documents, Table
from tests.desk import Desk
from tests.fakes import MemoryTable

type Files = dict[str, bytes]
"""Content by path: the first part is the container's or table's attribute in `Parts`."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
_PORTS = {name: kind for name, kind in get_type_hints(Parts).items() if name in {each.name for each in fields(Parts)}}


def named(kind: object) -> list[str]:
    """Return the parts that play a port."""
    return [name for name, port in _PORTS.items() if port is kind]


def take(desk: Desk) -> Files:
    """Take a copy of everything that is stored or on its way."""
    files: Files = {}
    for name in named(Blobs):
        blobs: Blobs = getattr(desk.parts, name)
        files |= {f"{name}/{path}": blobs.get(path) for path in blobs.list_paths("")}
    for name in named(Documents):
        documents: Documents = getattr(desk.parts, name)
        for each in documents.list_names():
            found = documents.find(each)
            assert found is not None
            files[f"{name}/{each}.json"] = _json(found.value)
    for name in named(Table):
        table: MemoryTable = getattr(desk.parts, name)
        files[f"{name}/rows.json"] = _json(table.rows)
    for path, blocks in desk.intake.blocks.items():
        files |= {f"intake/{path}/{offset}": block for offset, block in blocks.items()}
    files |= {f"folder/{name}": content for name, content in desk.folder.files.items()}
    files["queues.json"] = _json([{"queue": q, "body": json.loads(b), "delay": d} for q, b, d in desk.messages.sent])
    files["desk.json"] = _json({"now": desk.now.isoformat(), "graph": desk.simulator.url})
    return files


def put(files: Files, desk: Desk) -> None:
    """Let a new desk go on from there. Graph's links lead to the new desk's Graph."""
    told = json.loads(files["desk.json"])
    old, new = told["graph"], desk.simulator.url
    desk.now = datetime.fromisoformat(told["now"])
    for name in named(Blobs):
        for path, content in _below(files, name).items():
            getattr(desk.parts, name).put(path, content)
    for name in named(Documents):
        documents: Documents = getattr(desk.parts, name)
        for each in list(documents.list_names()):
            documents.delete(each)
        for path, content in _below(files, name).items():
            if path.endswith(".json"):  # the container of the directory's index holds blobs as well
                text = content.decode().replace(old, new)
                documents.put(path.removesuffix(".json"), json.loads(text), None)
    for name in named(Table):
        getattr(desk.parts, name).rows.update(json.loads(files.get(f"{name}/rows.json", b"{}")))
    for path, content in _below(files, "intake").items():
        name, _, offset = path.rpartition("/")
        desk.intake.put_block(name, int(offset), content)
    desk.folder.files.update(_below(files, "folder"))
    for each in json.loads(files["queues.json"]):
        desk.messages.send(each["queue"], json.dumps(each["body"]), delay_seconds=each["delay"])


def take_viva(graph: GraphSimulator) -> bytes:
    """Return what the tenant's Viva Learning holds."""
    with graph._state.transaction() as db:
        contents = [json.loads(row[0]) for row in db.execute("SELECT body FROM contents ORDER BY number")]
        rows = db.execute("SELECT type, body FROM activities ORDER BY number").fetchall()
    return _json({"contents": contents, "activities": [{"type": row[0], "body": json.loads(row[1])} for row in rows]})


def put_viva(content: bytes, graph: GraphSimulator) -> None:
    """Let a new tenant's Viva Learning hold it; objects keep the ids that Graph gave them."""
    held = json.loads(content)
    with graph._state.transaction() as db:
        db.executemany(
            "INSERT INTO contents(id, external_id, body) VALUES (?, ?, ?)",
            [(each["id"], each["externalId"], json.dumps(each)) for each in held["contents"]],
        )
        db.executemany(
            "INSERT INTO activities(id, external_id, content_id, type, body) VALUES (?, ?, ?, ?, ?)",
            [
                (
                    each["body"]["id"],
                    each["body"].get("externalcourseActivityId"),
                    each["body"]["learningContentId"],
                    each["type"],
                    json.dumps(each["body"]),
                )
                for each in held["activities"]
            ],
        )


def read(archive: Path) -> Files:
    """Read an archive."""
    with ZipFile(archive) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def write(archive: Path, files: Files) -> None:
    """Write an archive; the same files make the same bytes."""
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for name, content in sorted(files.items()):
            packed.writestr(ZipInfo(name, _EPOCH), content, ZIP_DEFLATED)


def _below(files: Files, folder: str) -> Files:
    return {path.removeprefix(f"{folder}/"): each for path, each in files.items() if path.startswith(f"{folder}/")}


def _json(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True).encode()
