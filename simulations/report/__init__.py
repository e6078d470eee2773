"""What simulations find, and how it is shown."""

from ._read import report_of as report_of
from ._report import (
    Convergence as Convergence,
    Curve as Curve,
    Detection as Detection,
    FalseAccusations as FalseAccusations,
    Happening as Happening,
    Healing as Healing,
    Lookups as Lookups,
    Model as Model,
    Report as Report,
    Series as Series,
    Spread as Spread,
    Theory as Theory,
    Traffic as Traffic,
    Work as Work,
)
from ._write import (
    document_text as document_text,
    prepare_directory as prepare_directory,
    require_plots as require_plots,
    write_plots as write_plots,
    write_report as write_report,
)
