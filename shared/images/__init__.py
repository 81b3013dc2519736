"""Images as files: what their containers hold, at the byte level. No pixel is decoded here."""
