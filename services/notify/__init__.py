"""Reaches the candidate: an in-app inbox and SMS.

Hears registration.recorded (whom to reach, sealed), rules.published (names of exam and items),
application.submitted, application.reopened, review.feedback and review.published.
Tells notice.delivered, once per channel when the attempt to reach somebody has come to its end.
Owns the notices, their SMS, and which of them the candidate has read.
"""
