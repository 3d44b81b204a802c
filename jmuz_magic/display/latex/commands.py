"""What a formula may contain in LaTeX: all of it stands in LaTeX itself, amsmath or amssymb.

Nothing here reads or writes a file, defines anything, changes how TeX reads, or reaches beyond its formula.
"""

from __future__ import annotations

__all__ = [
    "ARGUMENTS",
    "BIG",
    "CHARACTERS",
    "DELIMITERS",
    "DROPPED",
    "ENVIRONMENTS",
    "OPERATORS",
    "RELATIONS",
    "SAME",
    "SYMBOLS",
    "TEXTS",
]

CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-*/=<>()[]|.,:;!?@")

_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa varkappa lambda mu nu xi pi varpi "
    "rho varrho sigma varsigma tau upsilon phi varphi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_BINARY = (
    "pm mp times div ast star circ bullet cdot cap cup uplus sqcap sqcup vee wedge lor land setminus wr diamond "
    "bigtriangleup bigtriangledown triangleleft triangleright oplus ominus otimes oslash odot bigcirc dagger ddagger "
    "amalg ltimes rtimes bmod"
)
_RELATIONS = (
    "leq le geq ge equiv models prec succ sim perp preceq succeq simeq mid ll gg asymp parallel subset supset approx "
    "bowtie subseteq supseteq cong sqsubseteq sqsupseteq neq ne smile frown doteq in ni propto vdash dashv leqslant "
    "geqslant lesssim gtrsim lessgtr subsetneq supsetneq nmid nparallel notin nsubseteq nleq ngeq triangleq coloneqq "
    "trianglelefteq trianglerighteq leftarrow gets rightarrow to Leftarrow Rightarrow leftrightarrow Leftrightarrow "
    "mapsto hookleftarrow hookrightarrow leftharpoonup rightharpoonup rightleftharpoons longleftarrow longrightarrow "
    "Longleftarrow Longrightarrow longleftrightarrow Longleftrightarrow longmapsto uparrow downarrow updownarrow "
    "Uparrow Downarrow Updownarrow nearrow searrow swarrow nwarrow iff implies impliedby leadsto rightsquigarrow "
    "nrightarrow nleftarrow twoheadrightarrow upharpoonright models Vdash vDash vdots therefore because"
)
RELATIONS = frozenset(_RELATIONS.split())
_OTHER = (
    "infty nabla partial forall exists nexists emptyset varnothing neg lnot hbar ell Re Im aleph beth wp angle "
    "measuredangle triangle square blacksquare Box Diamond top bot prime backslash surd clubsuit diamondsuit heartsuit "
    "spadesuit flat natural sharp checkmark complement imath jmath dots ldots cdots ddots dotsc dotsb colon lbrace "
    "rbrace quad qquad displaystyle textstyle scriptstyle scriptscriptstyle arccos arcsin arctan arg cos cosh cot coth "
    "csc deg dim exp hom ker lg ln log sec sin sinh tan tanh"
)
_FENCES = (
    "langle rangle lfloor rfloor lceil rceil vert Vert lvert rvert lVert rVert ulcorner urcorner llcorner lrcorner"
)
_OPERATORS = (
    "sum prod coprod int iint iiint oint bigcap bigcup bigsqcup bigvee bigwedge bigodot bigotimes bigoplus biguplus "
    "lim liminf limsup max min sup inf det gcd Pr injlim projlim"
)
OPERATORS = frozenset(_OPERATORS.split())
"""Symbols that `\\limits` may follow."""
SAME = {"coloneqq": "mathrel{:=}", "leadsto": "rightsquigarrow", "bm": "boldsymbol", "mbox": "text"}
"""Commands of packages that a document may lack, and what stands for them."""

SYMBOLS = frozenset(f"{_GREEK} {_BINARY} {_RELATIONS} {_OTHER} {_FENCES}".split()) | OPERATORS
SYMBOLS |= frozenset((",", ";", ":", "!", ">", "{", "}", "|", "%", "#", "&", "$", "_"))

_ACCENTS = (
    "acute bar breve check ddot dot grave hat mathring tilde vec widehat widetilde overline underline overbrace "
    "underbrace overrightarrow overleftarrow overleftrightarrow"
)
_ONE = (
    "mathbb mathbf mathcal mathfrak mathit mathrm mathscr mathsf mathtt mathbin mathop mathord mathrel mathopen "
    "mathclose mathpunct mathinner boldsymbol bm operatorname boxed phantom hphantom vphantom smash pmod"
)
_TWO = "frac dfrac tfrac cfrac binom dbinom tbinom overset underset stackrel"
ARGUMENTS = {**dict.fromkeys(f"{_ACCENTS} {_ONE}".split(), 1), **dict.fromkeys(_TWO.split(), 2)}
"""Commands with arguments that are formulas, by how many they take."""

TEXTS = frozenset(("text", "textbf", "textit", "textrm", "textsf", "texttt", "textnormal", "mbox"))
"""Commands whose argument is text."""
DROPPED = frozenset(("notag", "nonumber", "allowbreak", "nolimits"))
"""Commands that a formula reads the same without."""
BIG = frozenset(f"{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m"))
DELIMITERS = frozenset(
    ("(", ")", "[", "]", "|", ".", "/", r"\{", r"\}", r"\|", r"\backslash", r"\lbrace", r"\rbrace")
) | frozenset(f"\\{name}" for name in [*_FENCES.split(), "uparrow", "downarrow", "updownarrow", "Uparrow", "Downarrow"])

_MANY = 30  # the columns of what knows no limit of its own
ENVIRONMENTS = {
    **dict.fromkeys(("align", "aligned", "alignat", "alignedat", "eqnarray", "flalign", "split"), ("aligned", _MANY)),
    **dict.fromkeys(("displaymath", "equation", "gather", "gathered", "math", "multline"), ("gathered", 1)),
    **{name: (name, 10) for name in ("matrix", "bmatrix", "Bmatrix", "pmatrix", "vmatrix", "Vmatrix", "smallmatrix")},
    **dict.fromkeys(("cases", "dcases"), ("cases", 2)),
    **dict.fromkeys(("array", "darray"), ("array", _MANY)),
}
"""What stands for an environment inside a formula, and how many columns it may have."""
