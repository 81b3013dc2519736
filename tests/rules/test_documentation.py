"""What the documentation says of the packs."""

from pathlib import Path

from deploy.intake.packs import packs_in


def test_the_import_page_names_the_facts_that_each_pack_reads() -> None:
    page = Path("docs/imports.md").read_text(encoding="utf-8")

    for name, rules in packs_in().items():
        assert f"| `{name}` | {', '.join(f'`{fact}`' for fact in sorted(rules.facts_read))} |" in page
