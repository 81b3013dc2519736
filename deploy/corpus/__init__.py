"""A labelled corpus of images, drawn with seeds: sound ones of many kinds, and the same with one thing wrong.

What the limits of the picture checks are measured on (`deploy.bench.image_limits`). The papers are specimens and a few
pages of our own; the only face is the specimens'. The same seed gives the same bytes on the same machine and versions.
"""

from deploy.corpus.samples import CLASSES, Sample, corpus, sample

__all__ = ["CLASSES", "Sample", "corpus", "sample"]
