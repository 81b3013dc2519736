"""What is wrong with a pack, and where a pack's parts stand in its file."""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path as File
from typing import Any

import yaml

from services.upload.conditions import Path

LARGEST_PACK = 2 * 1024 * 1024


@dataclass(frozen=True, order=True)
class Problem:
    """One problem. A `warning` does not keep the pack from being published.

    Attributes:
        line: counted from one; 0 speaks of the whole file.
        what: what is wrong.
        todo: what to do about it.
    """

    file: str
    line: int
    column: int
    what: str
    todo: str
    warning: bool = False

    def __str__(self) -> str:
        kind = "warning: " if self.warning else ""
        return f"{self.file}:{self.line}: {kind}{self.what}; {self.todo}"


class _Loader(yaml.SafeLoader):
    """Dates stay text: the model reads them, and says where one is wrong."""

    yaml_implicit_resolvers = {  # noqa: RUF012 as PyYAML has it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class Document:
    """A pack's file: its content, its problems, and the line of each part.

    Attributes:
        content: as Python values; None where the file is no YAML.
    """

    def __init__(self, file: File | str, text: str | None = None) -> None:
        self.name = str(file)
        self.problems: list[Problem] = []
        self.content: Any = None
        self._root: yaml.Node | None = None
        self.text = self._read(File(file)) if text is None else text
        if self.text.strip():
            self._parse()
        elif not self.problems:
            self.add_at(0, 0, "the file is empty", "copy rules/default.yaml and change it")

    def add(self, path: Path, what: str, todo: str, *, warning: bool = False, key: bool = False) -> None:
        """Note a problem of the part at this path (with `key`: of the key itself)."""
        line, column = self.position(path, key=key)
        self.add_at(line, column, what, todo, warning=warning)

    def add_at(self, line: int, column: int, what: str, todo: str, *, warning: bool = False) -> None:
        """Note a problem at a line and column, both counted from one."""
        problem = Problem(self.name, line, column, what, todo, warning)
        if problem not in self.problems:
            self.problems.append(problem)

    def position(self, path: Path, *, key: bool = False) -> tuple[int, int]:
        """Line and column of the part at this path, or of the nearest one around it."""
        mark = self._mark(path, key)
        return (mark.line + 1, mark.column + 1) if mark else (1, 1)

    def position_in(self, path: Path, offset: int) -> tuple[int, int]:
        """Line and column of a character inside the text at this path, however the file quotes or folds it."""
        node = self._node(path)
        if not isinstance(node, yaml.ScalarNode):
            return self.position(path)
        before = sum(not char.isspace() for char in node.value[:offset])
        at = _skip(self.text, _content_begins(self.text, node), before, node.style)
        line_start = self.text.rfind("\n", 0, at) + 1
        return self.text.count("\n", 0, at) + 1, at - line_start + 1

    def _read(self, file: File) -> str:
        try:
            if file.stat().st_size > LARGEST_PACK:
                self.add_at(0, 0, "the file is over 2 MB", "is it a rule pack?")
                return ""
            # PyYAML's marks count characters of a text without a byte order mark.
            return file.read_text(encoding="utf-8-sig")
        except OSError as error:
            self.add_at(0, 0, f"the file can't be read ({error.strerror})", "look at its name and its permissions")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self.add_at(line, 0, "the file is not UTF-8", "save it as UTF-8")
        return ""

    def _parse(self) -> None:
        try:
            loader = _Loader(self.text)
            self._root = loader.get_single_node()
            if self._root is None:
                self.add_at(0, 0, "the file is empty", "copy rules/default.yaml and change it")
                return
            for again, first in _duplicates(self._root):
                self.add_at(
                    again.start_mark.line + 1,
                    again.start_mark.column + 1,
                    f"the key {again.value} stands in line {first.start_mark.line + 1} already",
                    "keep one of the two",
                )
            self.content = loader.construct_document(self._root)
        except yaml.reader.ReaderError as error:
            line = self.text.count("\n", 0, error.position) + 1
            self.add_at(line, 0, f"not YAML: the character U+{error.character:04X} is not allowed", "take it out")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            words = " ".join(str(part) for part in (error.context, error.problem) if part)
            line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
            self.add_at(line, column, f"not YAML: {words}", "look at the indents, the colons and the quotes there")
        except (RecursionError, ValueError) as error:
            self.add_at(0, 0, f"not YAML that a pack may be written in ({type(error).__name__})", "write it plainly")

    def _node(self, path: Path) -> yaml.Node | None:
        node = self._root
        for part in path:
            node = _below(node, part)[1]
            if node is None:
                return None
        return node

    def _mark(self, path: Path, key: bool) -> yaml.Mark | None:
        node, mark = self._root, None
        for number, part in enumerate(path):
            key_node, value = _below(node, part)
            if value is None:
                break
            last = number == len(path) - 1
            # A collection below a key begins on the next line: the key's line is where people look.
            named = key_node is not None and (key or not last or not isinstance(value, yaml.ScalarNode))
            mark = key_node.start_mark if named and key_node is not None else value.start_mark
            node = value
        return mark or (self._root.start_mark if self._root is not None else None)


def _below(node: yaml.Node | None, part: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        # The last of two equal keys is the one that counts.
        for key, value in reversed(node.value):
            if isinstance(key, yaml.ScalarNode) and key.value == str(part):
                return key, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return None, node.value[part]
    return None, None


def _duplicates(root: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.ScalarNode]]:
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [value for _, value in node.value]
            first: dict[Hashable, yaml.ScalarNode] = {}
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    known = first.setdefault((key.tag, key.value), key)
                    if known is not key:
                        yield key, known


def _content_begins(text: str, node: yaml.ScalarNode) -> int:
    at: int = node.start_mark.index
    if node.style in {"|", ">"}:
        return text.index("\n", at) + 1
    return at + 1 if node.style in {"'", '"'} else at


def _skip(text: str, at: int, count: int, style: str | None) -> int:
    """The place after `count` characters that are no white space, then after white space."""
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        if count == 0:
            return at
        doubled = (style == "'" and text[at : at + 2] == "''") or (style == '"' and text[at] == "\\")
        at += 2 if doubled else 1
        count -= 1
    return at


def nearest(word: str, known: "Iterator[str] | list[str]") -> str:
    """Words that point at the nearest known one, such as `; did you mean bachelor?`, or nothing."""
    found = get_close_matches(word, list(known), n=1, cutoff=0.55)
    return f"did you mean {found[0]}?" if found else ""
