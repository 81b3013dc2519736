"""What is wrong with a pack, and where a pack's parts stand in its file."""

import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from math import isfinite
from pathlib import Path as File
from typing import Any

import yaml

from services.upload.conditions import Path

LARGEST_PACK = 256 * 1024
MOST_PROBLEMS = 500
DEEPEST = 40
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq"))


@dataclass(frozen=True, order=True)
class Problem:
    """One problem. A `warning` does not keep the pack from being published.

    Attributes:
        line: counted from one; what concerns the whole file is said of the first.
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

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.shared: list[tuple[int, int, str]] = []
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 as PyYAML has it
        """Anchors and aliases are noted, never followed: a few lines of them stand for more than fits in memory."""
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        mark = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            self.shared.append((mark.line + 1, mark.column + 1, f"the alias *{event.anchor}"))
            return yaml.ScalarNode("tag:yaml.org,2002:null", "", mark, mark)
        if event.anchor is not None:
            self.shared.append((mark.line + 1, mark.column + 1, f"the anchor &{event.anchor}"))
            event.anchor = None
        if self._depth >= DEEPEST:
            raise yaml.MarkedYAMLError(problem="lists and keys are nested too deep", problem_mark=mark)
        self._depth += 1
        try:
            node: yaml.Node | None = super().compose_node(parent, index)
        finally:
            self._depth -= 1
        return node


class Document:
    """A pack's file: its content, its problems, and the line of each part.

    Attributes:
        content: as Python values; None where the file is no YAML.
    """

    def __init__(self, file: File | str, text: str | None = None) -> None:
        self.name = str(file)
        self.problems: list[Problem] = []
        self._said: set[Problem] = set()
        self.content: Any = None
        self._root: yaml.Node | None = None
        self.text = self._read(File(file)) if text is None else text
        if self.text.strip():
            self._parse()
        elif not self.problems:
            self.add_at(1, 1, "the file is empty", "copy rules/default.yaml and change it")

    def add(self, path: Path, what: str, todo: str, *, warning: bool = False, key: bool = False) -> None:
        """Note a problem of the part at this path (with `key`: of the key itself)."""
        line, column = self.position(path, key=key)
        self.add_at(line, column, what, todo, warning=warning)

    def add_at(self, line: int, column: int, what: str, todo: str, *, warning: bool = False) -> None:
        """Note a problem at a line and column, both counted from one."""
        problem = Problem(self.name, line, column, what, todo, warning)
        if problem in self._said or len(self.problems) > MOST_PROBLEMS:
            return
        if len(self.problems) == MOST_PROBLEMS:
            problem = Problem(self.name, line, column, "there are more problems than these", "correct these first")
        self._said.add(problem)
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
        # What is missing at the end is told of at the last character: behind it another line may have begun.
        inside = min(offset, max(len(node.value.rstrip()) - 1, 0))
        before = sum(not char.isspace() for char in node.value[:inside])
        at = _skip(self.text, _content_begins(self.text, node), before, node.style)
        line_start = self.text.rfind("\n", 0, at) + 1
        return self.text.count("\n", 0, at) + 1, at - line_start + 1

    def _read(self, file: File) -> str:
        try:
            with file.open("rb") as opened:
                content = opened.read(LARGEST_PACK + 1)
            if len(content) > LARGEST_PACK:
                self.add_at(1, 1, "the file is over 256 KB", "give a rule pack: none is nearly as large")
                return ""
            # PyYAML's marks count characters of a text without a byte order mark.
            return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        except OSError as error:
            self.add_at(1, 1, f"the file can't be read ({error.strerror})", "look at its name and its permissions")
        except UnicodeDecodeError as error:
            line = error.object[: error.start].count(b"\n") + 1
            self.add_at(line, 1, "the file is not UTF-8", "save it as UTF-8")
        return ""

    def _parse(self) -> None:
        try:
            loader = _Loader(self.text)
            self._root = loader.get_single_node()
            if self._root is None:
                self.add_at(1, 1, "the file is empty", "copy rules/default.yaml and change it")
                return
            once_a_line = {(line, what): column for line, column, what in reversed(loader.shared)}
            for (line, what), column in once_a_line.items():
                self.add_at(line, column, f"{what}: a pack has no anchors and aliases", "write it out")
            if loader.shared or not self._is_plain(loader, self._root):
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
            self.add_at(line, 1, f"not YAML: the character U+{error.character:04X} is not allowed", "take it out")
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            words = " ".join(str(part) for part in (error.context, error.problem) if part)
            line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
            self.add_at(line, column, f"not YAML: {words}", "look at the indents, the colons and the quotes there")
        except (RecursionError, ValueError) as error:
            self.add_at(1, 1, f"not YAML that a pack may be written in ({type(error).__name__})", "write it plainly")

    def _is_plain(self, loader: _Loader, root: yaml.Node) -> bool:
        """Whether there are only texts, numbers, true, false, lists and keys, so that JSON could say the same."""
        before = len(self.problems)
        for node in _nodes(root):
            line, column = node.start_mark.line + 1, node.start_mark.column + 1
            what = "not YAML that a pack may be written in: "
            if node.tag == "tag:yaml.org,2002:merge":
                self.add_at(line, column, what + "the key <<", "write the keys out")
            elif node.tag not in _PLAIN_TAGS:
                name = node.tag.replace("tag:yaml.org,2002:", "!!")
                self.add_at(line, column, f"{what}the tag {name}", "take it out, or put the text in quotes")
            elif isinstance(node, yaml.ScalarNode):
                if wrong := re.search("[\ud800-\udfff]", node.value):
                    self.add_at(line, column, f"{what}the character U+{ord(wrong[0]):04X}", "take it out")
                elif node.tag.endswith((":int", ":float", ":bool")) and not _is_value(loader, node):
                    self.add_at(line, column, f"{what}{node.value[:40]} is no value", "write it plainly")
        return len(self.problems) == before

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


def _is_value(loader: _Loader, node: yaml.ScalarNode) -> bool:
    try:
        value = loader.construct_object(node)
    except (ValueError, KeyError):
        return False
    return not isinstance(value, float) or isfinite(value)


def _nodes(root: yaml.Node) -> Iterator[yaml.Node]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]


def _duplicates(root: yaml.Node) -> Iterator[tuple[yaml.ScalarNode, yaml.ScalarNode]]:
    for node in _nodes(root):
        if isinstance(node, yaml.MappingNode):
            first: dict[Hashable, yaml.ScalarNode] = {}
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
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
