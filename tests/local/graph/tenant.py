"""A tenant for these tests: the simulator, a client that calls it, and people who learn."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from infra.local.graph import GraphSimulator

ANNA = "a0000000-0000-4000-8000-000000000001"
BEN = "b0000000-0000-4000-8000-000000000002"
UNLICENSED = "c0000000-0000-4000-8000-000000000003"
DIRECTORY = f"""id,employeeId,accountEnabled,userType,licensed
{ANNA},1001,true,Member,true
{BEN},o'Neil,true,Member,true
{UNLICENSED},1003,false,Guest,false
"""

AWKWARD = "COURSE: it's 100% a/b?c#d&e=f+g (ü, 漢) 'x'"
"""An external id with all that a URL must not have."""
CONTENT: dict[str, Any] = {
    "title": "Fire safety",
    "contentWebUrl": "https://lms.example.com/1",
    "languageTag": "en-us",
    "duration": "PT1H30M",
    "level": "beginner",
}


class Tenant:
    """Speaks to the simulator as the product would."""

    def __init__(self, simulator: GraphSimulator, client: httpx.Client, folder: Path) -> None:
        self.simulator = simulator
        self.provider = f"/employeeExperience/learningProviders/{simulator.provider_id}"
        self.activities = f"{self.provider}/learningCourseActivities"
        self.client = client
        client.base_url = httpx.URL(f"{simulator.url}/v1.0")
        self._file = folder / "directory.csv"

    def load(self, directory: str) -> None:
        self._file.write_text(directory, "utf-8")
        self.simulator.load_directory(self._file)

    def content_path(self, external_id: str) -> str:
        key = quote(external_id.replace("'", "''"), safe="")
        return f"{self.provider}/learningContents(externalId='{key}')"

    def activity_path(self, external_id: str, c: str = "c") -> str:
        key = quote(external_id.replace("'", "''"), safe="")
        return f"{self.activities}(external{c}ourseActivityId='{key}')"

    def by_id(self, activity_id: str) -> str:
        return f"{self.activities}/{quote(activity_id, safe='')}"

    def put_content(self, external_id: str = "course-1", **changes: object) -> dict[str, Any]:
        answer = self.client.patch(self.content_path(external_id), json=CONTENT | changes)
        assert answer.status_code == 202, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def assignment(self, content_id: str, external_id: str = "one", **changes: object) -> dict[str, Any]:
        return {
            "@odata.type": "#microsoft.graph.learningAssignment",
            "learnerUserId": ANNA,
            "learningContentId": content_id,
            "learningProviderId": self.simulator.provider_id,
            "externalcourseActivityId": external_id,
            "status": "notStarted",
            "completionPercentage": 0,
            "assignmentType": "required",
            "dueDateTime": {"dateTime": "2026-04-30T00:00:00", "timeZone": "UTC"},
            **changes,
        }

    def completion(self, content_id: str, external_id: str = "two", **changes: object) -> dict[str, Any]:
        return {
            "@odata.type": "#microsoft.graph.learningSelfInitiatedCourse",
            "learnerUserId": ANNA,
            "learningContentId": content_id,
            "externalcourseActivityId": external_id,
            "status": "completed",
            "completedDateTime": "2026-03-31T08:00:00Z",
            **changes,
        }

    def pages(self, url: str) -> Iterator[dict[str, Any]]:
        link: str | None = url
        while link:
            answer = self.client.get(link)
            assert answer.status_code == 200, answer.text
            page: dict[str, Any] = answer.json()
            yield page
            link = page.get("@odata.nextLink")

    def export(self, file: Path) -> list[dict[str, Any]]:
        self.simulator.export_viva(file)
        return [json.loads(line) for line in file.read_text("utf-8").split("\n") if line]


def post(id_: str, url: str, body: object, method: str = "POST") -> dict[str, Any]:
    """Make a batch item that carries a body."""
    headers = {"Content-Type": "application/json"}
    return {"id": id_, "method": method, "url": url, "headers": headers, "body": body}


def message(answer: httpx.Response) -> str:
    text: str = answer.json()["error"]["message"]
    return text
