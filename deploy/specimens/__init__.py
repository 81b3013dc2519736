"""Specimens: papers of people who do not exist, drawn for the demo and the tests.

`draw` gives one image as it would arrive from a candidate's telephone or scanner, `spoil` the same image with
something wrong with it. Every one carries 样本; names, institutions and numbers are invented, and the face is NASA's
public-domain portrait out of scikit-image. The same seed gives the same bytes on the same machine and versions.
"""

from deploy.specimens.faults import FAULTS, Fault, spoil
from deploy.specimens.kinds import ITEMS, KINDS, draw, draw_portrait, file_name, media_type
from deploy.specimens.people import Level, Person, Sex, Studies, check_digit, invented_id_number, invented_person

__all__ = [
    "FAULTS",
    "ITEMS",
    "KINDS",
    "Fault",
    "Level",
    "Person",
    "Sex",
    "Studies",
    "check_digit",
    "draw",
    "draw_portrait",
    "file_name",
    "invented_id_number",
    "invented_person",
    "media_type",
    "spoil",
]
