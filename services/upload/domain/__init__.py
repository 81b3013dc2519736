"""An application in the candidate's hands: states, windows and deadlines, what is locked, what is missing. No I/O."""

from services.upload.domain.application import Application, Missing
from services.upload.domain.changes import Change, differences
from services.upload.domain.images import RESTORABLE_FOR, STATUS_OF, Image, ImageStatus, only_quality
from services.upload.domain.record import MOVES, State, no_such_item, takes_images
from services.upload.domain.windows import STAGES, HoursLeft, closed, stage_at

__all__ = [
    "MOVES",
    "RESTORABLE_FOR",
    "STAGES",
    "STATUS_OF",
    "Application",
    "Change",
    "HoursLeft",
    "Image",
    "ImageStatus",
    "Missing",
    "State",
    "closed",
    "differences",
    "no_such_item",
    "only_quality",
    "stage_at",
    "takes_images",
]
