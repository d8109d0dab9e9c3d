"""What config entries with upstream keys have in common."""

from __future__ import annotations

from ppap_core.credentials import ModelEntry, UpstreamEntry, models_by_client_name


def test_an_entry_makes_the_credential_of_a_key() -> None:
    """What operators may say of any entry is in it; what is too short for a secret hides nothing."""
    entry = UpstreamEntry(
        headers={"X-Team": "a", "X-Token": "hidden-value"},
        prefix="/team/",
        priority=3,
        excluded_models=["Parrot-*"],
        proxy_url="direct",
        disable_cooling=True,
    )
    made = entry.credential(identity="parrot:1", provider="parrot", label="birds", key="long-enough-key")
    assert made.settings is entry
    assert made.secrets == ("long-enough-key", "hidden-value")
    assert (made.prefix, made.priority, made.excluded_models) == ("team", 3, ("parrot-*",))
    assert (made.proxy_url, made.disable_cooling) == ("direct", True)
    keyless = entry.credential(identity="parrot:2", provider="parrot", label="birds", key="none", settings=7)
    assert (keyless.settings, keyless.secrets) == (7, ("hidden-value",))


def test_models_of_one_client_name_are_a_pool() -> None:
    """In the order and the spelling of the config; a repeated one counts once (6.5)."""
    models = [
        ModelEntry(name=name, alias=alias)
        for name, alias in (("a", "Fast"), ("b", "fast"), ("a", "FAST"), ("c", ""))
    ]
    assert models_by_client_name(models) == {"Fast": ["a", "b"], "c": ["c"]}
