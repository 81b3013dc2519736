"""Rule packs as files."""

from pathlib import Path
from stat import S_ISDIR

from deploy.intake.tables import BadFile
from deploy.rules_check.conditions import check_conditions
from deploy.rules_check.problems import Document
from deploy.rules_check.shape import check_shape
from deploy.rules_check.whole import check_items
from services.upload.checklist import BadCondition, Rules

RULES = Path(__file__).resolve().parent.parent.parent / "rules"


def read_pack(file: Path) -> Rules:
    """A pack, compiled. What only `baoshen rules check` finds, such as a route row that is never reached, passes.

    Raises:
        BadFile: what is wrong, in which lines, and what to do.
    """
    document = Document(file)
    pack = check_shape(document) if document.content is not None else None
    if pack is not None and not document.problems:
        check_items(document, pack)
    if pack is not None and not document.problems:
        try:
            return Rules(pack)
        except BadCondition as error:
            check_conditions(document)  # says the same with line, column and the nearest fact
            if not document.problems:
                document.add(error.path, str(error), "see `baoshen rules check`")
    elif document.content is not None:
        check_conditions(document)
    raise BadFile("\n".join(str(problem) for problem in sorted(document.problems)[:10]))


def pack_named(pack: str) -> Path:
    """The file of a pack: an id of the rules folder, or a path.

    Raises:
        BadFile: there is neither.
    """
    known = sorted(file.stem for file in RULES.glob("*.yaml"))
    if pack in known:
        return RULES / f"{pack}.yaml"
    choice = f"the packs are {', '.join(known)}, or give the path of a YAML file"
    if not pack.strip():
        raise BadFile(f"no pack is named; {choice}")
    try:
        kind = Path(pack).stat().st_mode
    except OSError:
        raise BadFile(f"{pack}: no such pack; {choice}") from None
    if S_ISDIR(kind):
        raise BadFile(f"{pack} is a folder; give a YAML file in it; {choice}")
    return Path(pack)


def packs_in(folder: Path = RULES) -> dict[str, Rules]:
    """The packs of a folder by id."""
    found = (read_pack(file) for file in sorted(folder.glob("*.yaml")))
    return {rules.pack.id: rules for rules in found}
