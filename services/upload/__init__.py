"""What the candidate sees: applications, checklists and images.

Hears registration.recorded, rules.published, material.checked, photo.checked, review.feedback, review.decided,
review.published.
Tells material.uploaded, material.removed, photo.check_requested, application.submitted, application.reopened,
application.withdrawn, application.lapsed, application.deadline_near, contact.changed, code.requested.
Owns applications and their locks, images, photo checks and registration photos, feedback as the candidate reads it,
the timeline, what open pages are told, candidates' activation, sessions and phone numbers.
"""
