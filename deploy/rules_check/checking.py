"""A pack's file, checked as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from deploy.rules_check.conditions import check_conditions
from deploy.rules_check.problems import Document, Problem
from deploy.rules_check.reach import check_reach
from deploy.rules_check.shape import check_shape
from deploy.rules_check.whole import EXAMPLES, check_whole
from services.upload.checklist import BadCondition, Rules
from shared.contracts.rules import Pack

Versions = dict[tuple[str, int], Path]


@dataclass(frozen=True)
class Checked:
    """What came of a check.

    Attributes:
        rules: compiled, where nothing is wrong but warnings.
        problems: in the order of the file.
    """

    file: Path
    problems: tuple[Problem, ...]
    rules: Rules | None

    @property
    def errors(self) -> tuple[Problem, ...]:
        """What keeps the pack from being published."""
        return tuple(problem for problem in self.problems if not problem.warning)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What may be meant."""
        return tuple(problem for problem in self.problems if problem.warning)


def check_packs(files: Iterable[Path]) -> list[Checked]:
    """Each file once, and whether two of them are the same version of the same pack."""
    versions: Versions = {}
    return [check_pack(file, versions=versions) for file in {file.resolve(): file for file in files}.values()]


def check_pack(file: Path, examples: Path = EXAMPLES, versions: Versions | None = None) -> Checked:
    """Every problem of a pack's file.

    Args:
        file: YAML.
        examples: the folder of the example pictures.
        versions: which files said which pack and version before; this one is added.
    """
    document = Document(file)
    rules: Rules | None = None
    if document.content is not None:
        pack = check_shape(document)
        compiled = check_conditions(document)
        if pack is not None:
            check_whole(document, pack, examples)
            _check_name(document, file, pack, {} if versions is None else versions)
            check_reach(document, pack, compiled)
            rules = _compiled(document, pack)
    problems = tuple(sorted(document.problems))
    return Checked(file, problems, rules)


def _check_name(document: Document, file: Path, pack: Pack, versions: Versions) -> None:
    said = document.content.get("id"), document.content.get("version")
    if said[0] != pack.id:
        return  # refused, something else stands in its place
    if file.stem != pack.id:
        document.add(
            ("id",),
            f"the pack {pack.id} stands in a file called {file.name}",
            f"call the file {pack.id}.yaml, or correct the id",
            warning=True,
        )
    if said[1] != pack.version:
        return
    first = versions.setdefault((pack.id, pack.version), file)
    if first != file:
        document.add(
            ("id",),
            f"{first} is {pack.id} version {pack.version}, too",
            "give one of them another id, or a higher version",
        )


def _compiled(document: Document, pack: Pack) -> Rules | None:
    if any(not problem.warning for problem in document.problems):
        return None
    try:
        return Rules(pack)
    except BadCondition as error:
        document.add(error.path, str(error), "correct it")
        return None
