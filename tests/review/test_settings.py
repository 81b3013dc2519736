"""What review's environment may say."""

import pytest
from pydantic import ValidationError

from services.review.settings import Settings


@pytest.mark.parametrize("development", ["", "0", "false"])
def test_a_delay_of_less_than_five_minutes_is_for_development_only(review_settings: Settings, development: str) -> None:
    given = review_settings.model_dump()

    with pytest.raises(ValidationError, match="PUBLICATION_DELAY_S is 300 at least"):
        Settings(**given | {"development": development, "publication_delay_s": 299})

    assert Settings(**given | {"development": "", "publication_delay_s": 300}).publication_delay_s == 300
    assert Settings(**given | {"development": "1", "publication_delay_s": 5}).publication_delay_s == 5


@pytest.mark.parametrize(("development", "asked_for", "shortest"), [("", 600, 600), ("1", 300, 5), ("1", 0, 0)])
def test_only_where_it_is_tried_out_opinions_may_show_sooner_than_usual(
    review_settings: Settings, development: str, asked_for: int, shortest: int
) -> None:
    changed = {"development": development, "publication_delay_s": asked_for}

    found = Settings(**review_settings.model_dump() | changed)

    assert (found.publication_delay_s, found.shortest_publication_delay_s) == (asked_for, shortest)
