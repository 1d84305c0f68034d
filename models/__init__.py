"""Everything with weights: subwords, NMT, translation engines, encoders, classifiers.

The lowest layer. Heavy libraries (torch, transformers, ctranslate2) are imported inside functions,
so that importing a module of this package costs milliseconds.
"""
