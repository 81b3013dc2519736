"""The steps that stories are made of. Each does one thing and sees that it is so."""
