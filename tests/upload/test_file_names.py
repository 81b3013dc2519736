"""The file's name comes from the sender: whatever stands there, the answer says what to do."""

import pytest

from tests.builders.images import a_jpeg
from tests.upload.conftest import Upload


@pytest.mark.parametrize(
    "name",
    [
        "filename*=undefined''x.jpg",
        "filename*=idna''x.jpg",
        "filename*=a%00b''x.jpg",
        "filename*" + "9" * 5000 + "=x.jpg",
        "filename*=a.jpg; filename*0=b.jpg",
    ],
    ids=["no charset", "no charset of bytes", "NUL in the charset", "endless number", "mixed pieces"],
)
async def test_a_name_that_nobody_can_read_is_refused_and_nothing_is_stored(upload: Upload, name: str) -> None:
    answer = await upload.put("diploma", a_jpeg(), **{"Content-Disposition": f"attachment; {name}"})

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-file-name")
    assert (await upload.item("diploma"))["images"] == []


@pytest.mark.parametrize(
    "name",
    ['filename="../../etc/passwd.jpg"', "filename*=UTF-8''%E6%AF%95%0D%0AX%3A%20y.jpg", 'filename="\x80\xff.jpg"'],
    ids=["a way up", "line breaks", "no UTF-8"],
)
async def test_an_odd_name_has_no_say_in_where_the_image_lies(upload: Upload, name: str) -> None:
    answer = await upload.put("diploma", a_jpeg(), **{"Content-Disposition": f"attachment; {name}".encode("latin-1")})

    assert answer.status_code == 201
