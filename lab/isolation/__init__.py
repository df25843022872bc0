"""The proof: from a plan, who reaches whom, and whether somebody said so.

`prove` answers for the whole lab; `Reach` for one pair. Nothing here looks at a running
machine: what it takes to be so about engines and kernels is in `docker` and `segments`,
and what it does not model is in `limits`, which every output repeats.
"""

from lab.isolation.proof import Proof, prove
from lab.isolation.reach import Reach
from lab.isolation.verdict import Answer, Leg, Path, Verdict

__all__ = ["Answer", "Leg", "Path", "Proof", "Reach", "Verdict", "prove"]
