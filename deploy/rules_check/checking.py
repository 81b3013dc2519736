"""A pack's file, checked as a whole."""

from dataclasses import dataclass
from pathlib import Path

from deploy.rules_check.conditions import check_conditions
from deploy.rules_check.problems import Document, Problem
from deploy.rules_check.reach import check_reach
from deploy.rules_check.shape import check_shape
from deploy.rules_check.whole import EXAMPLES, check_whole
from services.upload.checklist import BadCondition, Rules
from shared.contracts.rules import Pack


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


def check_pack(file: Path, examples: Path = EXAMPLES) -> Checked:
    """Every problem of a pack's file."""
    document = Document(file)
    rules: Rules | None = None
    if document.content is not None:
        pack = check_shape(document)
        compiled = check_conditions(document)
        if pack is not None:
            check_whole(document, pack, examples)
            check_reach(document, pack, compiled)
            rules = _compiled(document, pack)
    problems = tuple(sorted(document.problems))
    return Checked(file, problems, rules)


def _compiled(document: Document, pack: Pack) -> Rules | None:
    if any(not problem.warning for problem in document.problems):
        return None
    try:
        return Rules(pack)
    except BadCondition as error:
        document.add(error.path, str(error), "correct it")
        return None
