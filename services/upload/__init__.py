"""What the candidate sees: applications, checklists and images.

Hears registration.recorded, rules.published, material.checked, review.feedback, review.published.
Tells material.uploaded, material.removed, application.submitted, application.reopened.
Owns applications and their locks, images, feedback as the candidate reads it, the timeline, candidates' sessions.
"""
