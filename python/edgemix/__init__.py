"""Deep clustering for microcontrollers: trained here, run there with the same bits.

    from edgemix import Edgemix

    model = Edgemix().fit(X)      # N x D numbers, N x height x width images, N x instants x channels windows
    model.n_clusters_             # found, not given
    model.predict(X_new)          # as the chip will assign them
    model.novelty(X_new) <= 0.01  # like nothing that it has seen
    model.export("model.emx")     # what a firmware embeds

`Edgemix` follows scikit-learn's conventions and works in its pipelines, but does not need it.
"""

from ._edgemix import METHODS, InputError, TrainingError, __version__
from ._estimator import Edgemix, EdgemixWarning, Progress

__all__ = ["METHODS", "Edgemix", "EdgemixWarning", "InputError", "Progress", "TrainingError", "__version__"]
