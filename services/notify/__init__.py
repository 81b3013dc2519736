"""Reaches the candidate: an in-app inbox and SMS.

Hears registration.recorded and contact.changed (whom to reach, sealed), rules.published (names of exam and items, the
region's own words), application.submitted, application.reopened, application.withdrawn, application.lapsed,
application.deadline_near, review.feedback, review.published and code.requested (a code to send at once).
Tells notice.delivered, once per channel when the attempt to reach somebody has come to its end.
Owns the notices, their SMS, which of them the candidate has read, and codes until they are sent.
"""
