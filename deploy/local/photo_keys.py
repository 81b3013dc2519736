"""Where the keys of the photo check's receipts lie, and the first key of a stack."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from deploy.local.errors import StackError
from shared.security.photo_keys import PhotoKeyFiles, PhotoKeysUnreadable

PRIVATE = "PHOTO_KEYS_FILE"
PUBLIC = "PHOTO_PUBLIC_KEYS_FILE"
FILE_NAME = "photo-keys.json"


def photo_key_files(environment: Mapping[str, str], home: Path) -> PhotoKeyFiles:
    """The files that the environment names, else those of the home folder."""
    private = Path(environment.get(PRIVATE) or home / FILE_NAME)
    public = environment.get(PUBLIC)
    return PhotoKeyFiles(private, Path(public) if public else None)


def keep_photo_keys(environment: Mapping[str, str], home: Path) -> PhotoKeyFiles:
    """The same files, with a first key in them.

    Raises:
        StackError: they can't be read or written; the text says which and what to do.
    """
    files = photo_key_files(environment, home)
    try:
        files.make_first(datetime.now(UTC))
    except (PhotoKeysUnreadable, OSError) as problem:
        raise StackError(
            f"The keys of the photo check can't be kept: {problem}. Mend {files.private} and {files.public}, or remove "
            "both: then every photo that was checked has to be checked again."
        ) from problem
    return files
