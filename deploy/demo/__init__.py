"""The demo: the main job played through the public APIs, every step seen to be true."""
