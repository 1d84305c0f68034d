"""A family of invented languages in which the truth is known.

Everything the sandbox publishes is generated from one meaning grammar, so every sentence has an
exact translation into four languages and a label that follows from its meaning:

=======  =========  ===============================================================================
code     name       relation to the hub
=======  =========  ===============================================================================
``hub``  Tamoric    the labelled language: SVO, prepositions, suffixes for number and tense
``sis``  Tavoric    close sister: a few regular sound changes, nearly all roots cognate, same syntax
``cou``  Keldrin    distant cousin: half of the roots cognate, other sound changes, SOV, case
``iso``  Uzhumba    isolate: no root in common, adjuncts first, then VOS; prefixes
=======  =========  ===============================================================================

One number per language, its *distance* in [0, 1] from the hub, sets all of this: ``1 - distance``
of the roots are inherited (rare ones go first), sound changes become more, and typology moves from
the hub's over the cousin's to the isolate's (see `LanguageProfile.at`).

Sentences have 4 to 8 words unless a recipe says otherwise. Numerals and proper names look alike in
all languages and are never inflected. About one root in eight has a synonym of its own in each
language, chosen freely from sentence to sentence, so translation is not a bijection. No two roots
of a language share a form; two *inflected* forms may coincide, which is rare.

The label (praise, neutral, complaint) is that of the main clause: its verb's valence or, if the
verb is neutral, that of its object's adjective; negation turns praise into complaint and back.
Subordinate clauses and the subject's adjectives are as evaluative as the rest and count for
nothing, so no single word gives a label away.

Parallel, monolingual and task sentences are disjoint as meanings, and as surface strings in all
four languages. The same recipe gives the same bytes in every process.
"""

from tasks.sandbox.draws import labelled, monolingual, parallel
from tasks.sandbox.language import LANGUAGES
from tasks.sandbox.meaning import LABELS
from tasks.sandbox.recipe import SandboxRecipe

__all__ = ["LABELS", "LANGUAGES", "SandboxRecipe", "labelled", "monolingual", "parallel"]
