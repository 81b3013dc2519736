"""The JSON Schema of a rule pack: the model's, with descriptions and the known item codes for editors."""

import inspect
import json
import re
from pathlib import Path
from typing import Any

from deploy.rules_check.vocabulary import KNOWN_ITEMS
from shared.contracts import rules
from shared.contracts.findings import CAN_BE_STRICTER
from shared.contracts.rules import Pack, PackPart

SCHEMA = Path(__file__).resolve().parent.parent.parent / "docs" / "rules" / "pack.schema.json"
_CONDITIONS = {"required_when", "offered_when", "when", "applies_when", "min_by"}
_ITEM_PATTERN = "^[a-z][a-z_]{1,63}$"
_ALSO = {
    "Pack": {
        "id": "Such as neimenggu-2021; the name of the file.",
        "version": "Raise it with each change that is published.",
        "exam": "The exam's name.",
        "sites": "The exam sites of the region.",
        "route": "The way of the review where there is no route table.",
        "routes": "The route table: the first row whose condition holds decides; the last must always hold.",
        "sections": "The checklist's headings with their items, in order.",
        "items": "Every item that could ever be asked for, by its code.",
        "photo": "The official size of the registration photo; left out: 小2寸, under 30,000 bytes.",
        "reasons": "Why staff return an item, by code, in words to the candidate. {item} {site} {region} {deadline} "
        "are filled in; {page} {what} {which} are blanks that the reviewer fills in.",
        "messages": "The region's own words for messages.",
        "second_reviewer_on_rejection": "True where a rejection or disqualification needs a second reviewer's consent.",
        "service_level_days": "Days within which an application should have gone on its way; later ones are escalated.",
        "watermark": "True where images are shown to staff with the viewer's name over them.",
    },
    "ItemRule": {
        "title": "The item's name on the checklist.",
        "instruction": "What to hand in, in short words.",
        "channel": "Uploaded, brought to the counter, or both.",
    },
    "PhotoRule": {
        "width_mm": "As printed.",
        "height_mm": "As printed.",
        "width_px": "Of the file.",
        "height_px": "Of the file.",
    },
}


def pack_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. It knows no condition's inside: `baoshen rules check` does."""
    schema = Pack.model_json_schema()
    parts: dict[str, Any] = {"Pack": schema} | schema["$defs"]
    for name, part in parts.items():
        _describe(name, part)
    schema["$defs"]["KnownItem"] = {
        "title": "KnownItem",
        "description": "A known item code.",
        "enum": list(KNOWN_ITEMS),
        "type": "string",
    }
    parts["ItemRule"]["properties"]["stricter_checks"]["items"] = {"enum": sorted(CAN_BE_STRICTER), "type": "string"}
    changed: dict[str, Any] = _for_editors(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | changed


def schema_text() -> str:
    """As it stands in docs/."""
    return json.dumps(pack_schema(), ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def _describe(name: str, part: dict[str, Any]) -> None:
    model = getattr(rules, name, None)
    if not (inspect.isclass(model) and issubclass(model, PackPart)):
        return
    text = inspect.getdoc(model) or ""
    summary, _, attributes = text.partition("Attributes:\n")
    part["description"] = " ".join(summary.split())
    said = {
        found[1]: " ".join(found[2].split())
        for found in re.finditer(r"^    (\w+): (.*(?:\n {8}.*)*)", attributes, flags=re.MULTILINE)
    } | _ALSO.get(name, {})
    for key, field in part.get("properties", {}).items():
        if key in said:
            field["description"] = said[key]
        elif key in _CONDITIONS:
            field["description"] = 'A CEL condition over the facts, such as `education == "graduate"`.'


def _for_editors(node: Any) -> Any:  # noqa: ANN401 JSON
    if isinstance(node, list):
        return [_for_editors(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("pattern") == _ITEM_PATTERN and node.get("type") == "string":
        return {key: value for key, value in node.items() if key == "description"} | {"$ref": "#/$defs/KnownItem"}
    changed = {key: _for_editors(value) for key, value in node.items()}
    patterns = changed.pop("patternProperties", None)
    if patterns and _ITEM_PATTERN in patterns:
        changed |= {"propertyNames": {"$ref": "#/$defs/KnownItem"}, "additionalProperties": patterns[_ITEM_PATTERN]}
    elif patterns:
        changed["patternProperties"] = patterns
        changed["additionalProperties"] = False
    # A pack's times are local, without the offset that RFC 3339 asks for.
    if changed.get("format") == "date-time":
        del changed["format"]
        changed["pattern"] = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?)?$"
    elif changed.get("format") == "date":
        changed["pattern"] = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
    return changed
