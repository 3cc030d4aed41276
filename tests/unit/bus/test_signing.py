"""Node keys, batch signatures, and what a key is worth by the registry."""

import stat
from pathlib import Path

import pytest

from contracts.stream import leaf_hash
from kernel.registry import Registry, RegistryError
from kernel.signing import BatchSigner, Keyring, NodeKey, SigningError, Trust
from tests.support.buskit import CITY, HAIFENG, LUFENG, Keys

AT = "2026-02-13T08:30:00.000000Z"


def registry(key: NodeKey, **changed: object) -> Registry:
    record = {"id": key.id, "public": key.public(), **changed}
    return Registry.model_validate(
        {"city": CITY, "nodes": [{"node": CITY}, {"node": HAIFENG, "keys": [record]}]}
    )


def trust(ring: Keyring, key: NodeKey, **asked: str) -> Trust:
    leaves = [leaf_hash(b"%d" % n) for n in range(5)]
    signature = BatchSigner(key).sign_batch(leaves)[3]
    question = {"key_id": key.id, "node": HAIFENG, "time": AT, **asked}
    return ring.verify(signature, leaves[3], **question)


def test_a_key_file_is_readable_by_its_owner_only_and_is_never_overwritten(tmp_path: Path) -> None:
    key = NodeKey.generate("441521-1")
    path = tmp_path / "node.key"
    key.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert NodeKey.load(path).public() == key.public()
    with pytest.raises(FileExistsError):
        key.save(path)


def test_a_key_does_not_show_itself() -> None:
    key = NodeKey.generate("441521-1")
    assert key.private.hex() not in repr(key)
    assert repr(key.private) not in repr(key)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"algorithm":"ROT13","id":"k","private":""}'])
def test_a_broken_key_file_gets_one_clear_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "node.key"
    path.write_bytes(content)
    with pytest.raises(SigningError, match="not a key of a known algorithm"):
        NodeKey.load(path)
    with pytest.raises(SigningError, match="cannot be read"):
        NodeKey.load(tmp_path / "missing")


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Trust.VALID),
        ({"state": "retired"}, Trust.VALID),
        ({"state": "revoked"}, Trust.REVOKED),
        ({"purpose": "encrypt"}, Trust.WRONG_NODE),
        ({"to": "2026-02-01T00:00:00Z"}, Trust.NOT_IN_FORCE),
        ({"from": "2026-03-01T00:00:00Z"}, Trust.NOT_IN_FORCE),
        ({"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, Trust.VALID),
    ],
)
def test_what_a_key_is_worth(changed: dict[str, object], verdict: Trust) -> None:
    key = NodeKey.generate("441521-1")
    assert trust(Keyring(registry(key, **changed)), key) is verdict


def test_a_key_speaks_for_its_own_node_only() -> None:
    key = NodeKey.generate("441521-1")
    assert trust(Keyring(registry(key)), key, node=LUFENG) is Trust.WRONG_NODE


def test_an_unlisted_key_is_unknown_and_a_false_signature_forged() -> None:
    key, other = NodeKey.generate("441521-1"), NodeKey.generate("441521-1")
    assert trust(Keyring(registry(key)), key, key_id="441521-2") is Trust.UNKNOWN_KEY
    assert trust(Keyring(registry(key)), other) is Trust.FORGED


def test_a_root_is_verified_once_for_all_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    key = NodeKey.generate("441521-1")
    ring = Keyring(registry(key))
    leaves = [leaf_hash(b"%d" % n) for n in range(100)]
    calls = []
    verify = ring.verify_bytes
    monkeypatch.setattr(ring, "verify_bytes", lambda *a: calls.append(a) or verify(*a))
    for leaf, signature in zip(leaves, BatchSigner(key).sign_batch(leaves), strict=True):
        verdict = ring.verify(signature, leaf, key_id=key.id, node=HAIFENG, time=AT)
        assert verdict is Trust.VALID
    assert len(calls) == 1


def test_a_registry_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "registry.json"
    with pytest.raises(RegistryError, match="cannot be read"):
        Registry.load(path)
    path.write_text('{"city":"441500","nodes":[]}')
    with pytest.raises(RegistryError, match="not valid"):
        Registry.load(path)
    path.write_text('{"city":"441500","nodes":[{"node":"441500"},{"node":"441500"}]}')
    with pytest.raises(RegistryError, match="twice"):
        Registry.load(path)


def test_the_node_above_a_county_is_the_city_and_above_the_city_nobody() -> None:
    found = Keys().registry()
    upper = found.upper(HAIFENG)
    assert upper is not None
    assert upper.node == CITY
    assert found.upper(CITY) is None
    assert HAIFENG in found
    assert found.node("440000") is None
