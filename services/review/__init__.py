"""What staff see: queues, claims, marks, decisions and publications.

Hears registration.recorded, rules.published, material.checked, material.read, application.submitted,
application.reopened, application.withdrawn, application.lapsed, notice.delivered.
Tells review.feedback, review.decided, review.published, audit.sealed.
Owns staff accounts and their sessions, claims, marks, decisions, publications, the history of every act,
and the audit trail.
"""
