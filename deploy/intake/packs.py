"""Rule packs as files."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from deploy.intake.tables import BadFile
from services.upload.checklist import BadCondition, Rules
from shared.contracts.rules import Pack

RULES = Path(__file__).resolve().parent.parent.parent / "rules"


def read_pack(file: Path) -> Rules:
    """A pack, checked and compiled.

    Raises:
        BadFile: what is wrong, where, and what to do.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadFile(f"{file}: can't be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise BadFile(f"{file}: not YAML ({error})") from None
    try:
        return Rules(Pack.model_validate(content))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()[:10])
        raise BadFile(f"{file}: {faults}") from None
    except BadCondition as error:
        raise BadFile(f"{file}: {error}") from None


def packs_in(folder: Path = RULES) -> dict[str, Rules]:
    """The packs of a folder by id."""
    found = (read_pack(file) for file in sorted(folder.glob("*.yaml")))
    return {rules.pack.id: rules for rules in found}
