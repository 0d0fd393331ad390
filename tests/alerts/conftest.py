"""A tenant whose alerts go to a channel."""

from dataclasses import dataclass

import pytest

from shared.pipeline.sweep import sweep
from tests.bad_input.conftest import Tenant, fresh, published, tenant
from tests.company import betrays
from tests.desk import NAME

__all__ = ["fresh", "on_call", "published", "tenant"]

HOOK = "https://hooks.example.com/T0"


@dataclass(frozen=True)
class OnCall:
    """Somebody who reads the channel."""

    tenant: Tenant

    def hears(self, kind: str = "") -> list[str]:
        """Let the sweeper come round, and return what was posted by that, of one kind or of all."""
        webhook = self.tenant.desk.webhook
        webhook.posted.clear()
        sweep(self.tenant.desk.parts)
        self.tenant.desk.messages.take()
        assert {url for url, _ in webhook.posted} <= {HOOK}
        texts = [text for _, text in webhook.posted]
        assert betrays("".join(texts)) == []
        return [text for text in texts if text.startswith(f"LMS connector, connection {NAME}: {kind}")]


def listening(tenant: Tenant) -> OnCall:
    tenant.desk.secrets.values["channel"] = f"{HOOK}\n"
    tenant.desk.set(alert_webhook_secret="channel")  # noqa: S106 - the name of a secret
    return OnCall(tenant)


@pytest.fixture
def on_call(tenant: Tenant) -> OnCall:
    return listening(tenant)
