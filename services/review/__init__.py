"""What staff see: queues, claims, marks, decisions and publications.

Hears registration.recorded, rules.published, material.checked, material.read, application.submitted,
application.reopened, application.withdrawn, application.lapsed, notice.delivered.
Tells review.feedback, review.decided, review.published.
Owns staff accounts and their sessions, claims, marks, decisions, publications, and the history of every act.
"""
