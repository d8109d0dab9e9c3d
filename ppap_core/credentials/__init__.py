"""Upstream accounts and keys: what files say of them, what was learnt, and who goes next."""

from .cooldown import Block, Cooldowns, CredentialState
from .credential import Credential, credential_id, with_unique_ids
from .entry import ModelEntry, UpstreamEntry, models_by_client_name
from .files import CredentialFile, CredentialFiles, write_credential_file
from .pool import Pool, Recovery, Route
from .strategies import STRATEGIES, Candidate, Strategy, fill_first, round_robin

__all__ = [
    "STRATEGIES",
    "Block",
    "Candidate",
    "Cooldowns",
    "Credential",
    "CredentialFile",
    "CredentialFiles",
    "CredentialState",
    "ModelEntry",
    "Pool",
    "Recovery",
    "Route",
    "Strategy",
    "UpstreamEntry",
    "credential_id",
    "fill_first",
    "models_by_client_name",
    "round_robin",
    "with_unique_ids",
    "write_credential_file",
]
