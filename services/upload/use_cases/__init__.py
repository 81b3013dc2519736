"""What upload does, one function per thing. Each gets a session and never commits it."""
