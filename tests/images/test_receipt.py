"""The receipt in a checked photo: what it says is true, for one candidate, one photo and a while, or it is refused."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image

from shared.contracts.photo_receipts import ReceiptRefusal, receipt_words_for
from shared.images.receipt import (
    LEEWAY,
    MOST_RECEIPT_BYTES,
    Receipt,
    ReceiptRefused,
    add_receipt,
    read_receipt,
    verify,
)
from shared.security.photo_keys import PhotoKeyFiles, PublicKeys, SigningKey, SigningKeys
from tests.images import receipt_vectors as vectors

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
ME = "2026150001"
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "photo-receipt.md"


def a_photo(quality: int = 36, mode: str = "RGB", progressive: bool = False) -> bytes:
    """A JPEG of the official size; of noise, so that no byte of it is idle."""
    seen = np.random.default_rng(5).integers(0, 255, (72, 50, 3), dtype=np.uint8)
    drawn = io.BytesIO()
    image = Image.fromarray(seen).resize((390, 567), Image.Resampling.BICUBIC).convert(mode)
    image.save(drawn, "JPEG", quality=quality, progressive=progressive)
    return drawn.getvalue()


@dataclass
class Office:
    """Keys of its own, and a photo."""

    files: PhotoKeyFiles
    photo: bytes

    def sign(self, photo: bytes | None = None, **said: Any) -> bytes:
        key: SigningKey = said.pop("key", None) or SigningKeys(self.files.private).current()
        whole: dict[str, Any] = {
            "application_no": ME,
            "pack": "neimenggu-2021@3",
            "issued_at": NOW,
            "expires_at": NOW + timedelta(days=30),
        } | said
        return add_receipt(photo or self.photo, key=key, **whole)[0]

    def verify(self, file: bytes, application_no: str | None = ME, now: datetime = NOW) -> Receipt:
        return verify(file, PublicKeys(self.files.public), application_no=application_no, now=now)

    def reason(self, file: bytes, application_no: str | None = ME, now: datetime = NOW) -> str:
        with pytest.raises(ReceiptRefused) as refused:
            self.verify(file, application_no, now)
        return refused.value.reason


@pytest.fixture
def office(tmp_path: Path) -> Office:
    files = PhotoKeyFiles(tmp_path / "photo-keys.json")
    files.new(NOW)
    return Office(files, a_photo())


def segment_of(file: bytes) -> slice:
    """Where the receipt lies: from its marker to its end."""
    start = file.index(b"BAOSHEN-PHOTO\0") - 4
    return slice(start, start + 2 + int.from_bytes(file[start + 2 : start + 4]))


def test_a_receipt_says_for_whom_by_which_rules_and_until_when(office: Office) -> None:
    file, receipt = add_receipt(
        office.photo,
        application_no=ME,
        pack="hunan-2026@12",
        issued_at=NOW.replace(microsecond=123456),
        expires_at=NOW + timedelta(days=30),
        key=SigningKeys(office.files.private).current(),
    )

    assert office.verify(file) == receipt
    assert (receipt.application_no, receipt.pack) == (ME, "hunan-2026@12")
    assert (receipt.issued_at, receipt.expires_at) == (NOW, NOW + timedelta(days=30))
    assert receipt.key_id == office.files.all()[0].id


@pytest.mark.parametrize(
    "photo",
    [a_photo(), a_photo(progressive=True), a_photo(mode="L"), a_photo()[:2] + a_photo()[20:]],
    ids=["baseline", "progressive", "grey", "without JFIF"],
)
def test_the_photo_itself_stays_as_it_was(office: Office, photo: bytes) -> None:
    file = office.sign(photo)

    receipt, without = read_receipt(file)

    assert without == photo
    assert office.verify(file) == receipt
    assert len(file) - len(photo) <= MOST_RECEIPT_BYTES
    before, after = (np.asarray(Image.open(io.BytesIO(each))) for each in (photo, file))
    assert (before == after).all()


def test_it_stands_behind_the_jfif_segment_or_where_that_would_be(office: Office) -> None:
    with_jfif, without = office.sign(), office.sign(office.photo[:2] + office.photo[20:])

    assert with_jfif[2:4] == b"\xff\xe0"
    assert segment_of(with_jfif).start == 20
    assert segment_of(without).start == 2


def test_the_longest_receipt_is_as_long_as_is_said_and_no_longer(office: Office) -> None:
    photo = office.photo

    file = office.sign(photo, application_no="9" * 32, pack=f"{'a' * 48}@{'9' * 9}")

    assert len(file) - len(photo) == MOST_RECEIPT_BYTES


def test_no_two_receipts_have_the_same_nonce(office: Office) -> None:
    one, other = (read_receipt(office.sign())[0] for _ in range(2))

    assert one != other
    assert replace(one, nonce=other.nonce) == other


def test_every_changed_byte_of_the_receipt_is_noticed(office: Office) -> None:
    file = office.sign()
    where = segment_of(file)

    for at in range(where.start, where.stop):
        for flipped in (1, 0x20, 0xFF):
            changed = bytearray(file)
            changed[at] ^= flipped
            assert office.reason(bytes(changed)), (at, flipped)


def test_every_changed_missing_or_added_byte_of_the_photo_is_noticed(office: Office) -> None:
    file = office.sign()
    assert 25_000 < len(file) < 30_000
    places = [*range(60), *range(60, len(file), 37), *range(len(file) - 20, len(file))]

    for at in places:
        changed = bytearray(file)
        changed[at] ^= 1
        assert office.reason(bytes(changed)), at
        assert office.reason(file[:at] + file[at + 1 :]), at
        assert office.reason(file[:at] + b"\xff" + file[at:]), at
        assert office.reason(file[:at] + b"\x00" + file[at:]), at


def test_a_change_of_the_picture_is_called_that(office: Office) -> None:
    file = office.sign()
    inside = bytearray(file)
    inside[-50] ^= 4
    where = segment_of(file)
    moved = file[:2] + file[where] + file[2 : where.start] + file[where.stop :]
    comment = file[: where.stop] + b"\xff\xfe\x00\x04hi" + file[where.stop :]

    for changed in (bytes(inside), file + b"\x00", file[:-2], file[:-500], moved, comment):
        assert office.reason(changed) == "photo_changed"


def test_a_receipt_moved_by_a_fill_byte_is_moved(office: Office) -> None:
    file = office.sign()
    start = segment_of(file).start

    assert office.reason(file[:start] + b"\xff" + file[start:]) == "photo_changed"


def test_a_receipt_counts_for_its_own_photo_only(office: Office) -> None:
    mine = office.sign()
    others_photo = a_photo(quality=60)
    put_over = others_photo[:20] + mine[segment_of(mine)] + others_photo[20:]

    assert office.reason(put_over) == "photo_changed"


def test_another_candidates_photo_is_refused_whatever_else_is_wrong_with_it(office: Office) -> None:
    file = office.sign()

    assert office.reason(file, "2026150002") == "other_candidate"
    assert office.reason(file + b"\x00", "2026150002") == "other_candidate"
    assert office.verify(file, None).application_no == ME


def test_a_receipt_is_good_from_its_issue_until_it_expires(office: Office) -> None:
    file = office.sign()
    end = NOW + timedelta(days=30)

    assert office.verify(file, now=NOW - LEEWAY)
    assert office.reason(file, now=NOW - LEEWAY - timedelta(seconds=1)) == "receipt_not_yet_valid"
    assert office.verify(file, now=end - timedelta(seconds=1))
    assert office.reason(file, now=end) == "receipt_expired"


def test_an_older_key_verifies_until_it_is_retired(office: Office) -> None:
    file = office.sign()
    old = read_receipt(file)[0].key_id
    office.files.new(NOW + timedelta(days=1))
    assert office.verify(file).key_id == old
    assert read_receipt(office.sign())[0].key_id != old

    office.files.retire(old, NOW + timedelta(days=40))

    assert office.reason(file) == "key_retired"


def test_what_another_system_signed_is_refused(office: Office, tmp_path: Path) -> None:
    elsewhere = PhotoKeyFiles(tmp_path / "elsewhere" / "photo-keys.json")
    elsewhere.new(NOW)
    file = office.sign(key=SigningKeys(elsewhere.private).current())
    ours, theirs = office.files.all()[0].id, elsewhere.all()[0].id

    assert office.reason(file) == "key_unknown"
    assert office.reason(file.replace(theirs.encode(), ours.encode())) == "receipt_forged"


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("app", '"app":"2026150002"'),
        ("exp", '"exp":"2036-12-28T08:00:00Z"'),
        ("iat", '"iat":"2026-11-20T08:00:00Z"'),
        ("nonce", '"nonce":"AAAAAAAAAAAAAAAAAAAAAA"'),
        ("pack", '"pack":"hunan-2026@99999"'),
        ("sha256", f'"sha256":"{"0" * 64}"'),
    ],
)
def test_nothing_that_it_says_can_be_changed(office: Office, field: str, other: str) -> None:
    file = office.sign()

    forged = re.sub(rf'"{field}":"[^"]*"'.encode(), other.encode(), file, count=1)

    assert len(forged) == len(file)
    # Even where the lie suits: what was not verified decides nothing.
    for application_no in (ME, "2026150002"):
        assert office.reason(forged, application_no) == "receipt_forged"


def with_payload(file: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The same file with another payload, lengths put right; the signature stays."""
    where = segment_of(file)
    payload = change(file[where.start + 21 : where.stop - 64])
    body = file[where.start + 4 : where.start + 19] + len(payload).to_bytes(2) + payload + file[where.stop - 64 :][:64]
    return file[: where.start + 2] + (len(body) + 2).to_bytes(2) + body + file[where.stop :]


OTHER_PAYLOADS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda said: b"",
    "an empty object": lambda said: b"{}",
    "endless nesting": lambda said: b"[" * 60_000,
    "spaces": lambda said: said.replace(b",", b", "),
    "a line break behind": lambda said: said + b"\n",
    "a member twice": lambda said: said[:-1] + b',"sha256":"x"}',
    "a member more": lambda said: said[:-1] + b',"zz":"1"}',
    "a member before": lambda said: b'{"aaa":1,' + said[1:],
    "a number": lambda said: said.replace(b'"app":"2026150001"', b'"app":2026150001'),
    "an escape": lambda said: said.replace(b"2026150001", b"2026\\u0031"),
    "no such day": lambda said: said.replace(b"2026-12-28", b"2026-02-30"),
    "no such hour": lambda said: said.replace(b"T08", b"T24"),
    "expired when issued": lambda said: said.replace(b"2026-12-28", b"2026-11-01"),
    "a pack without version": lambda said: said.replace(b"neimenggu-2021@3", b"neimenggu-2021"),
    "a key in capitals": lambda said: said.replace(b'"key":"p', b'"key":"P'),
    "not ASCII": lambda said: said.replace(b"}", b"\xff}"),
}


@pytest.mark.parametrize("change", OTHER_PAYLOADS.values(), ids=OTHER_PAYLOADS.keys())
def test_only_one_way_of_writing_it_is_read(office: Office, change: Callable[[bytes], bytes]) -> None:
    file = office.sign()
    assert with_payload(file, lambda said: said) == file

    assert office.reason(with_payload(file, change)) == "receipt_unreadable"


def test_another_version_or_length_is_not_guessed_at(office: Office) -> None:
    file = office.sign()
    start = segment_of(file).start
    newer, longer = bytearray(file), bytearray(file)
    newer[start + 18] = 2
    longer[start + 20] += 1

    assert office.reason(bytes(newer)) == "receipt_unreadable"
    assert office.reason(bytes(longer)) == "receipt_unreadable"


def test_two_receipts_are_one_too_many_wherever_they_stand(office: Office) -> None:
    file = office.sign()
    segment = file[segment_of(file)]
    tables_end = file.index(b"\xff\xc0")

    assert office.reason(file[:20] + segment + file[20:]) == "receipt_twice"
    assert office.reason(file[:tables_end] + segment + file[tables_end:]) == "receipt_twice"


def test_files_without_a_receipt_are_told_from_files_that_are_no_jpeg(office: Office) -> None:
    png = io.BytesIO()
    Image.new("RGB", (8, 8)).save(png, "PNG")
    file = office.sign()

    for missing in (office.photo, file.replace(b"BAOSHEN-PHOTO", b"BAOSHEN-OTHER"), office.photo + b"\x00"):
        assert office.reason(missing) == "receipt_missing"
    for other in (b"", b"\xff", b"\xff\xd8", b"\xff\xd8\xff\xd9", png.getvalue(), office.photo[:100], file[1:]):
        assert office.reason(other) == "not_a_jpeg"


def test_a_header_without_end_is_not_walked_for_ever(office: Office) -> None:
    endless = b"\xff\xd8" + b"\xff\xfe\x00\x02" * 200_000

    assert office.reason(endless) == "not_a_jpeg"


@pytest.mark.parametrize(
    "photo",
    [
        b"",
        b"not a picture",
        a_photo() + b"\x00",
        a_photo() + a_photo(),
        a_photo()[:-2],
        a_photo()[:300],
        a_photo()[:2] + b"\xff\xd9",
    ],
    ids=["empty", "text", "a byte behind", "another photo behind", "no end", "no scan", "no header"],
)
def test_what_is_no_whole_photo_gets_no_receipt(office: Office, photo: bytes) -> None:
    with pytest.raises(ValueError, match="no whole JPEG"):
        add_receipt(
            photo,
            application_no=ME,
            pack="neimenggu-2021@3",
            issued_at=NOW,
            expires_at=NOW + timedelta(days=1),
            key=SigningKeys(office.files.private).current(),
        )


def test_a_photo_gets_one_receipt_only(office: Office) -> None:
    with pytest.raises(ValueError, match="already"):
        office.sign(office.sign())


@pytest.mark.parametrize(
    "said",
    [
        {"application_no": "2026-1"},
        {"application_no": 'X","app":"Y'},
        {"pack": "neimenggu-2021"},
        {"pack": "neimenggu-2021@0"},
        {"expires_at": NOW},
        {"issued_at": NOW.replace(tzinfo=None)},
        {"nonce": b"short"},
    ],
    ids=str,
)
def test_what_can_not_be_read_again_is_not_written(office: Office, said: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"receipt holds|aware"):
        office.sign(**said)


@pytest.mark.parametrize("reason", get_args(ReceiptRefusal))
def test_every_refusal_says_what_to_do_in_both_languages(reason: ReceiptRefusal) -> None:
    words = receipt_words_for(reason)

    assert re.search(r"请", words.zh)
    assert re.search(r"[Hh]and (it )?in|[Dd]o the photo check|Try again", words.en)


def test_the_vectors_in_the_repository_are_what_the_code_makes() -> None:
    there = {file.name: file.read_bytes() for file in vectors.FOLDER.iterdir()}

    assert there == vectors.files()


@pytest.mark.parametrize("case", vectors.CASES, ids=lambda case: " ".join(map(str, case.values())))
def test_each_vector_gives_its_result(case: dict[str, Any]) -> None:
    keys = PublicKeys(vectors.FOLDER / "keys.public.json")
    file = (vectors.FOLDER / case["file"]).read_bytes()

    def result() -> str:
        try:
            verify(file, keys, application_no=case["application_no"], now=datetime.fromisoformat(case["now"]))
        except ReceiptRefused as refused:
            return refused.reason
        return "valid"

    assert result() == case["result"]


def test_the_vectors_have_every_reason() -> None:
    assert {case["result"] for case in vectors.CASES} == {"valid", *get_args(ReceiptRefusal)}


def test_the_document_shows_the_vector_as_it_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    file = vectors.files()["accepted.jpg"]
    where = segment_of(file)

    shown = bytes.fromhex(re.findall(r"```text\n((?:[0-9a-f]{2,64}\n)+)```", text)[0])

    assert shown == file
    assert file[where.start + 21 : where.stop - 64].decode() in text
    assert file[where.stop - 64 : where.stop].hex() in text.replace("\n", "")


def test_the_documents_sketch_takes_and_refuses_the_same_files() -> None:
    code = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)[0]
    sketch: dict[str, Any] = {}
    exec(code, sketch)  # noqa: S102 it is ours
    keys = json.loads((vectors.FOLDER / "keys.public.json").read_text())

    def result(case: dict[str, Any]) -> str:
        file = (vectors.FOLDER / case["file"]).read_bytes()
        try:
            sketch["verify"](file, keys, case["application_no"], datetime.fromisoformat(case["now"]))
        except sketch["Refused"] as refused:
            return str(refused)
        return "valid"

    assert [result(case) for case in vectors.CASES] == [case["result"] for case in vectors.CASES]
