"""HTTP in: candidates' sessions, their applications, their images."""
