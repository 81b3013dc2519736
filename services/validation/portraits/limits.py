"""The limits of the portrait check, from limits.toml beside this file, where each has the table that justifies it."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from services.validation.quality.limits import Above, Below


class _Limits(BaseModel):
    # An unknown key is a limit that somebody believes in and nobody keeps.
    model_config = ConfigDict(frozen=True, extra="forbid")


class FaceLimits(_Limits):
    least_score: float
    second_least_height: float
    second_least_presence: float
    turned_least_gain: float


class PoseLimits(_Limits):
    roll: Above
    set_right_roll: float
    yaw: Above
    pitch: Above


class EyeLimits(_Limits):
    blink: Above
    reject_contrast: float
    review_glare: float


class FrameLimits(_Limits):
    head: float
    least_head: float
    most_head: float
    top: float
    least_top: float
    usual_top: float
    most_top: float
    least_bottom: float
    sideways: float
    most_enlarged: float


class BackgroundLimits(_Limits):
    lightness: Below
    chroma: Above
    reject_spread: float
    review_spread_low: float
    tilt: Above
    fall: Above
    shadow: Above
    reject_shadow_depth: float


class LightLimits(_Limits):
    reject_brightest: float
    face_lightness: Below
    burnt: Above
    sides: Above
    review_colour: float


class SharpnessLimits(_Limits):
    blur: Above
    quality: Below
    blocks: Above
    least_reduction: float


class PortraitLimits(_Limits):
    """Everything in limits.toml."""

    face: FaceLimits
    pose: PoseLimits
    eyes: EyeLimits
    frame: FrameLimits
    background: BackgroundLimits
    light: LightLimits
    sharpness: SharpnessLimits


@cache
def portrait_limits() -> PortraitLimits:
    """The limits, read once per process."""
    return PortraitLimits.model_validate(tomllib.loads(Path(__file__).with_name("limits.toml").read_text("utf-8")))
