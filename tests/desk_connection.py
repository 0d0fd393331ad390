"""The connection on a desk, before a test changes it."""

from typing import Any

from infra.local.graph import LICENCE_SERVICE_PLAN_ID

DEFAULTS: dict[str, Any] = {
    "enabled": True,
    "learner_sync": True,
    "configuration_id": "acme",
    "size_stable_seconds": 0,
    "pgp_passphrase_secret": None,
    "sftp": {"host": "sftp.example.com", "user": "acme", "host_key": "ssh-ed25519 AAAA"},
    "viva": {
        "provider_id": "p",
        "bizx_host": "hcm.example.com",
        "learning_host": "learning.example.com",
        "company_id": "ACME",
        "licence_service_plan_ids": [LICENCE_SERVICE_PLAN_ID],
    },
}
