"""Who is asking, and keeping personal data unread by those who may not read it."""
